"""The schedule: what is sent how often, by the monotonic clock: a wall clock may be set back.

Ticks of one queue that are due at once go in one message: that of the first stage names the others.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from math import floor
from typing import Any, Final

import redis
from celery.beat import Scheduler
from kombu.exceptions import OperationalError

from triggers.base.logs import logger
from triggers.stages import table
from workers import failover, watchdog

log = logger(__name__)

#: What sending raises while Redis cannot be used.
UNSENT = (OperationalError, OSError, redis.RedisError)

#: What comes due so soon is due at the same time, seconds: sums of paces differ by less.
_AT_ONCE_SECONDS: Final = 0.01


class Schedule(Scheduler):  # type: ignore[misc]
    """Sends each entry at its pace. Ticks carry no data: nothing is remembered, and one too many does nothing.

    It "ticks" when it has sent something: only that counts as progress for `watch`.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._due: dict[str, float] = {}
        self._began = 0.0
        super().__init__(*args, **kwargs)

    def tick(self, *args: Any, **kwargs: Any) -> float:  # noqa: ARG002
        """Send what is due; seconds until the next tick."""
        now = time.monotonic()
        sent = [self._send(first, others, now) for first, *others in together(self._what_is_due(now))]
        if any(sent):
            watchdog.beat.ticked_at = now
        next_due = min(self._due.values(), default=now + self.max_interval)
        return float(max(0.01, min(next_due - time.monotonic(), self.max_interval)))

    def _what_is_due(self, now: float) -> Iterator[Any]:
        if not self._due:
            self._began = now
        for name, entry in self.schedule.items():
            if now >= self._due.get(name, now) - _AT_ONCE_SECONDS:
                # on a grid of its pace, of which all have one beginning; no ticks are made up for
                every, past = entry.schedule.seconds, now + _AT_ONCE_SECONDS - self._began
                self._due[name] = self._began + every * (floor(past / every) + 1)
                yield entry

    def _send(self, entry: Any, others: list[Any], now: float) -> bool:
        try:
            also = [other.task.rpartition(".")[2] for other in others]
            self.app.send_task(entry.task, [*(entry.args or ()), *also], entry.kwargs, **entry.options)
        except UNSENT as failure:
            log.warning("the tick %s was not sent: %s", entry.name, failure)
            failover.look_for_primary(self.app, failure)
            watchdog.beat.excuse(now)  # a restart would fix nothing
            return False
        for one in (entry, *others):
            self.logger.info("Scheduler: Sending due task %s (%s)", one.name, one.task)
        return True


def together(due: Iterable[Any]) -> list[list[Any]]:
    """The entries that go in one message: those to one queue, in the order of the stages."""
    order = [stage.task for stage in table.STAGES]
    found: dict[str, list[Any]] = {}
    for entry in sorted(due, key=lambda one: order.index(one.task)):
        found.setdefault(entry.options["queue"], []).append(entry)
    return list(found.values())
