"""Metrics for Prometheus, served at TRIGGERS_METRICS_ADDRESS.

Everything is read from Redis when it is asked for, so one exporter tells of all workers on all hosts. Names carry
units, times are timestamps, and no object ids are labels.
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterable, Iterator

import redis
from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from triggers import sources
from triggers.base.broker import broker_prefix
from triggers.base.errors import Usage
from triggers.base.escaping import one_line
from triggers.base.redis_address import refuse_unsupported
from triggers.base.settings import Settings, settings
from triggers.base.terminal import say
from triggers.ledger import Ledger, Store, connect, open_ledger, schedulers
from triggers.ledger.shared import api_requests, beat_said
from triggers.model.action import LANES
from triggers.stages import table
from workers.app import app, redis_address
from workers.http_server import serve
from workers.tallies import PREFIX, Followed

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
        yield _gauge("redis_up", "Whether Redis answered this scrape.", [((), up)])
        yield from map(_harmless, found)

    def _read(self) -> Iterator[Metric]:
        ledgers = {}
        found = schedulers.all_of(self.client)
        for id_, one in found.items():
            ledgers[f"{one.project}/{one.name}"] = open_ledger(Store(self.client), id_, self.settings)
        yield from self._of_celery()
        paces = {(f"{one.project}/{one.name}",): one.poll_seconds for one in found.values()}
        yield _gauge("poll_pace_seconds", "How often the server is polled.", paces.items(), "scheduler")
        yield from _of_ledgers(ledgers)
        for name, ledger in ledgers.items():
            if name not in self._followed:
                self._followed[name] = Followed(ledger)
            self._followed[name].read_on()
        yield from Followed.families(self._followed)
        yield from self._api_requests()

    def _of_celery(self) -> Iterator[Metric]:
        lengths = [((queue,), float(self.client.llen(broker_prefix() + queue))) for queue in table.queues()]
        yield _gauge("queue_messages", "Celery messages that wait.", lengths, "queue")
        yield _gauge("beat_leader", "Whether a beat ticks.", [((), float(self._beat_ticks(time.monotonic())))])

    def _beat_ticks(self, now: float) -> bool:
        """Whether a beat goes on counting; that its key is still there may be due to a clock set back."""
        said = beat_said(self.client)
        if said != self._beat[0]:
            self._beat = (said, now)
        return bool(said) and now - self._beat[1] < BEAT_SILENT_SECONDS

    def _api_requests(self) -> Iterator[Metric]:
        family = CounterMetricFamily(
            f"{PREFIX}_api_requests", "Calls to the ClearML API.", labels=["endpoint", "result"]
        )
        for field, number in api_requests(self.client).items():
            family.add_metric(field.split(" ", 1), float(number))
        yield family


def _harmless(family: Metric) -> Metric:
    """The metric with nothing in its labels that a terminal or a dashboard would act on."""
    for number, sample in enumerate(family.samples):
        labels = {name: one_line(value) for name, value in sample.labels.items()}
        family.samples[number] = sample._replace(labels=labels)
    return family


Samples = Iterable[tuple[tuple[str, ...], float]]


def _gauge(name: str, text: str, samples: Samples, *labels: str) -> Metric:
    family = GaugeMetricFamily(f"{PREFIX}_{name}", text, labels=labels)
    for values, number in samples:
        family.add_metric(values, number)
    return family


def _of_ledgers(ledgers: dict[str, Ledger]) -> Iterator[Metric]:
    """What waits where, and how far the server was read."""
    rows: dict[tuple[str, str, tuple[str, ...]], list[tuple[tuple[str, ...], float]]] = {}
    for name, ledger in ledgers.items():
        for metric, text, labels, values, number in _figures(ledger):
            rows.setdefault((metric, text, labels), []).append(((name, *values), number))
    for (metric, text, labels), samples in rows.items():
        yield _gauge(metric, text, samples, "scheduler", *labels)


Figure = tuple[str, str, tuple[str, ...], tuple[str, ...], float]


def _figures(ledger: Ledger) -> Iterator[Figure]:
    waiting = ledger.waiting
    if polled := max(ledger.times_polled_ms(), default=0):
        # an age by the ledger's clock, as a time of this one's: Redis' own may be set back
        at = time.time() - (ledger.now_ms() - polled) / 1000
        yield "poll_last_success_timestamp_seconds", "When a page was last read.", (), (), at
    for source in sources.serving(ledger.registry.snapshot().active):
        if read_to := ledger.reading.cursor(source.name).read_to_ms:
            text = "Up to which change the server was read, by its own clock."
            yield "cursor_timestamp_seconds", text, ("source",), (source.name,), read_to / 1000
    batches = waiting.batch_count(ledger.reading.waiting_partitions())
    yield "batches_waiting", "Batches of events that wait to be matched.", (), (), float(batches)
    for lane in LANES:
        due = float(waiting.due(lane, ledger.now_ms()))
        yield "firings_due", "Firings that could be launched now.", ("lane",), (lane,), due
        unfinished = float(waiting.size(lane))
        yield "firings_unfinished", "Firings due now or later.", ("lane",), (lane,), unfinished
    for stage in table.STAGES:
        if stage.backlog:
            due = float(waiting.due(stage.backlog.line, ledger.now_ms()))
            yield "stage_waiting", "Things due that wait for a stage.", ("stage",), (stage.name,), due
    held = dict.fromkeys(("pause", "pace", "slot"), 0.0)
    for hold in ledger.firings.holds():
        held[hold.partition(":")[0]] = held.get(hold.partition(":")[0], 0.0) + float(ledger.operations.held_count(hold))
    for reason, number in held.items():
        yield "firings_held", "Firings that wait on purpose.", ("reason",), (reason,), number
    yield "dead_letters", "Firings given up, kept for a person.", (), (), float(waiting.dead_count())
    yield "slots_bound", "Slots of single_instance triggers with a holder.", (), (), float(waiting.slot_count())
    for alarm, facts in ledger.history.alarms().items():
        text = "Since when an alarm is set."
        yield "alarm_since_timestamp_seconds", text, ("alarm",), (alarm,), facts["since_ms"] / 1000
    states = {"active": 0.0, "paused": 0.0, "retired": 0.0}
    for entry in ledger.registry.snapshot().entries.values():
        states["retired" if entry.retired else "paused" if entry.paused else "active"] += 1
    for state, number in states.items():
        yield "triggers", "Registered triggers.", ("state",), (state,), number


def main() -> None:
    """Serve until SIGTERM or SIGINT."""
    of = settings()
    redis_address(of.redis_url)
    client = connect(of.redis_url or "")
    refuse_unsupported(client, of.redis_url or "")
    host, _, port = of.metrics_address.rpartition(":")
    if not host or not port.isdigit():
        raise Usage(f"TRIGGERS_METRICS_ADDRESS={of.metrics_address!r} is no HOST:PORT")
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
