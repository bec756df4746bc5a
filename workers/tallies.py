"""What happened, counted: follows the history of one scheduler and the stream of its events from now on."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Mapping

from prometheus_client.core import Metric

from triggers.ledger import Ledger
from triggers.ledger.history.history import HistoryEntry, Tally
from triggers.ledger.polling.batches import decode_batch
from triggers.model.events import Event
from triggers.model.kinds import KINDS
from workers.metric_families import counters, histogram

#: Upper bounds of the latencies, seconds.
BUCKETS = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0)


class Latencies:
    """A histogram."""

    def __init__(self) -> None:
        self.counts = [0] * (len(BUCKETS) + 1)
        self.sum = 0.0

    def add(self, seconds: float) -> None:
        """Count one."""
        self.counts[bisect_left(BUCKETS, seconds)] += 1
        self.sum += seconds

    def cumulated(self) -> list[tuple[str, float]]:
        """The buckets as Prometheus wants them."""
        bounds, total, found = [*map(str, BUCKETS), "+Inf"], 0, []
        for bound, count in zip(bounds, self.counts, strict=True):
            total += count
            found.append((bound, float(total)))
        return found


class Followed:
    """Counts of one scheduler: what became of firings as the ledger has it, events and latencies since this start."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self._happenings, self._stored = ledger.happenings(), ledger.events()
        self._happenings.start_at_end()
        self._stored.start_at_end()
        self.events: Counter[str] = Counter()
        self.tallies: list[Tally] = []
        self.latencies = {"change": Latencies(), "grant": Latencies()}

    def read_on(self) -> None:
        """Count what has come since the last time.

        Raises:
            redis.RedisError: Redis gave no answer; the next call goes on from the same place.
        """
        self.tallies = self.ledger.history.tallies()
        for id_, fields in self._happenings.fresh():
            self._time(HistoryEntry.of(id_, fields))
        for _, fields in self._stored.fresh():
            self._count_events(fields["batch"])

    def _time(self, entry: HistoryEntry) -> None:
        if entry.what == "launched":
            (times,) = self.ledger.firings.read_fields([entry.firing], "changed_ms", "granted_ms")
            for since, began_ms in zip(("change", "grant"), times, strict=True):
                if began_ms:
                    self.latencies[since].add(max(0.0, (entry.at_ms - int(began_ms)) / 1000))

    def _count_events(self, batch: str) -> None:
        try:
            lines = decode_batch(batch).events
            self.events.update(Event.from_json(line).kind for line in lines)
        except (ValueError, TypeError, KeyError):
            self.events["unreadable"] += 1

    @staticmethod
    def families(followed: Mapping[str, Followed]) -> Iterator[Metric]:
        """The counts of all schedulers as metrics."""
        events, matches, firings = counters("events"), counters("matches"), counters("firings")
        latency = histogram("launch_latency_seconds")
        for name, one in followed.items():
            for kind in KINDS:
                events.add_metric([name, kind], float(one.events[kind]))
            for tally in sorted(one.tallies, key=lambda tally: (tally.trigger, tally.what)):
                if tally.what == "granted":
                    matches.add_metric([name, tally.trigger], float(tally.count))
                else:
                    firings.add_metric([name, tally.trigger, tally.what], float(tally.count))
            for since, latencies in one.latencies.items():
                latency.add_metric([name, since], latencies.cumulated(), latencies.sum)
        yield from (events, matches, firings, latency)
