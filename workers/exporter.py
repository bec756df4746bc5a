"""Metrics for Prometheus, served at TRIGGERS_METRICS_ADDRESS.

Everything is read from Redis when it is asked for, so one exporter tells of all workers on all hosts. Names carry
units, times are timestamps, and no object ids are labels.
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator

import redis
from prometheus_client import CollectorRegistry
from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from triggers import sources
from triggers.base.broker import broker_prefix
from triggers.base.errors import Usage
from triggers.base.escaping import one_line
from triggers.base.redis_address import refuse_unsupported
from triggers.base.settings import Settings, settings
from triggers.base.terminal import say
from triggers.ledger import Ledger, Store, connect, open_ledger
from triggers.ledger.api_budget.api_account import CallBook
from triggers.ledger.deployment import schedulers
from triggers.ledger.deployment.shared import api_requests, beat_said
from triggers.ledger.firings.waiting import Line
from triggers.model.action import LANES
from triggers.rules.api_budget import projected
from triggers.stages import table
from workers.app import app, redis_address
from workers.http_server import serve
from workers.metric_families import counters, gauge
from workers.tallies import Followed

#: A beat whose count stands still for so long between two scrapes is dead, seconds.
BEAT_SILENT_SECONDS = 10.0


class Exporter(Collector):
    """All metrics of one Redis. Asked by one scrape at a time."""

    def __init__(self, client: redis.Redis, of: Settings) -> None:
        self.client, self.settings = client, of
        self._followed: dict[str, Followed] = {}
        self._beat: tuple[str | None, float] = (None, 0.0)
        self._one_at_a_time = threading.Lock()

    def describe(self) -> list[Metric]:
        """Nothing is read before the first scrape."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Read everything. Redis not answering is a metric, not an error."""
        with self._one_at_a_time:
            try:
                found, up = list(self._read()), 1.0
            except (redis.RedisError, OSError):
                found, up = [], 0.0
        yield gauge("redis_up", [((), up)])
        yield from map(_harmless, found)

    def _read(self) -> Iterator[Metric]:
        ledgers = {}
        found = schedulers.all_of(self.client)
        for id_, one in found.items():
            ledgers[f"{one.project}/{one.name}"] = open_ledger(Store(self.client), id_, self.settings)
        yield from self._of_celery()
        paces = {
            (name,): max(one.poll_seconds, one.quiet_seconds, _stretched(ledgers[name]))
            for one in found.values()
            if (name := f"{one.project}/{one.name}")
        }
        yield gauge("poll_pace_seconds", paces.items())
        yield from _of_ledgers(ledgers)
        for name, ledger in ledgers.items():
            if name not in self._followed:
                self._followed[name] = Followed(ledger)
            self._followed[name].read_on()
        yield from Followed.families(self._followed)
        yield from self._api_requests()

    def _of_celery(self) -> Iterator[Metric]:
        lengths = [((queue,), float(self.client.llen(broker_prefix() + queue))) for queue in table.queues()]
        yield gauge("queue_messages", lengths)
        yield gauge("beat_leader", [((), float(self._beat_ticks(time.monotonic())))])

    def _beat_ticks(self, now: float) -> bool:
        """Whether a beat goes on counting; that its key is still there may be due to a clock set back."""
        said = beat_said(self.client)
        if said != self._beat[0]:
            self._beat = (said, now)
        return bool(said) and now - self._beat[1] < BEAT_SILENT_SECONDS

    def _api_requests(self) -> Iterator[Metric]:
        requests = api_requests(self.client).items()
        yield counters("api_requests", [(tuple(field.split(" ", 1)), float(number)) for field, number in requests])
        book = CallBook(self.client)
        usage, pause = book.usage(), book.pause_now()
        yield gauge("api_calls_month", [(tuple(one), float(number)) for one, number in usage.counts.items()])
        yield gauge("api_calls_projected", [((), float(projected(usage)))])
        if limit := self.settings.api_calls_per_month or book.limit_in_use():
            yield gauge("api_calls_limit", [((), float(limit))])
        yield gauge("api_paused_seconds", [((), pause.seconds if pause else 0.0)])


def _harmless(family: Metric) -> Metric:
    """The metric with nothing in its labels that a terminal or a dashboard would act on."""
    for number, sample in enumerate(family.samples):
        labels = {name: one_line(value) for name, value in sample.labels.items()}
        family.samples[number] = sample._replace(labels=labels)
    return family


def _stretched(ledger: Ledger) -> float:
    """How far the next poll is from the last one: where calls are short, farther than the pace."""
    polled = max(ledger.times_polled_ms(), default=0)
    return (ledger.waiting.next_poll_ms() - polled) / 1000 if polled else 0.0


def _of_ledgers(ledgers: dict[str, Ledger]) -> Iterator[Metric]:
    """What waits where, and how far the server was read."""
    rows: dict[str, list[tuple[tuple[str, ...], float]]] = {}
    for name, ledger in ledgers.items():
        for metric, values, number in _figures(ledger):
            rows.setdefault(metric, []).append(((name, *values), number))
    yield from (gauge(metric, samples) for metric, samples in rows.items())


#: Name of a metric, the values of its labels after the scheduler's, its value.
Figure = tuple[str, tuple[str, ...], float]


def _figures(ledger: Ledger) -> Iterator[Figure]:
    waiting = ledger.waiting
    if polled := max(ledger.times_polled_ms(), default=0):
        # an age by the ledger's clock, as a time of this one's: Redis' own may be set back
        at = time.time() - (ledger.now_ms() - polled) / 1000
        yield "poll_last_success_timestamp_seconds", (), at
    for source in sources.serving(ledger.registry.snapshot().active):
        if read_to := ledger.reading.cursor(source.name).read_to_ms:
            yield "cursor_timestamp_seconds", (source.name,), read_to / 1000
    batches = waiting.batch_count(ledger.reading.waiting_partitions())
    yield "batches_waiting", (), float(batches)
    for lane in LANES:
        due = float(waiting.due(lane, ledger.now_ms()))
        yield "firings_due", (lane,), due
        unfinished = float(waiting.size(lane))
        yield "firings_unfinished", (lane,), unfinished
    for stage in table.STAGES:
        if stage.backlog:
            due = float(waiting.due(stage.backlog.line, ledger.now_ms()))
            yield "stage_waiting", (stage.name,), due
            yield "stage_oldest_waiting_seconds", (stage.name,), _oldest_seconds(ledger, stage.backlog.line)
    held = dict.fromkeys(("pause", "pace", "slot"), 0.0)
    for hold in ledger.firings.holds():
        held[hold.partition(":")[0]] = held.get(hold.partition(":")[0], 0.0) + float(ledger.operations.held_count(hold))
    for reason, number in held.items():
        yield "firings_held", (reason,), number
    yield "dead_letters", (), float(waiting.dead_count())
    yield "slots_bound", (), float(waiting.slot_count())
    for alarm, facts in ledger.history.alarms().items():
        yield "alarm_since_timestamp_seconds", (alarm,), facts["since_ms"] / 1000
    states = {"active": 0.0, "paused": 0.0, "retired": 0.0}
    for entry in ledger.registry.snapshot().entries.values():
        states["retired" if entry.retired else "paused" if entry.paused else "active"] += 1
    for state, number in states.items():
        yield "triggers", (state,), number


def _oldest_seconds(ledger: Ledger, line: Line) -> float:
    """For how long the first of a line has been due by the ledger's clock; 0 if nothing is."""
    first_ms = ledger.waiting.oldest_ms(line)
    return max(0, ledger.now_ms() - first_ms) / 1000 if first_ms is not None else 0.0


def main() -> None:
    """Serve until SIGTERM or SIGINT."""
    of = settings()
    redis_address(of.redis_url)
    client = connect(of.redis_url or "")
    refuse_unsupported(client, of.redis_url or "")
    host, _, port = of.metrics_address.rpartition(":")
    if not host or not port.isdigit():
        raise Usage(f"TRIGGERS_METRICS_ADDRESS={of.metrics_address!r} is not HOST:PORT: write it as 127.0.0.1:9808")
    registry = CollectorRegistry(auto_describe=False)
    registry.register(Exporter(client, of))
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    server, thread = serve(host, int(port), registry)
    say(f"metrics at http://{of.metrics_address}/metrics")
    ended.wait()
    server.shutdown()
    server.server_close()
    thread.join()
    app.close()
