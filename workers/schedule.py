"""The schedule: what is sent how often, by the monotonic clock: a wall clock may be set back."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import redis
from celery.beat import Scheduler
from kombu.exceptions import OperationalError

from triggers.base.logs import logger
from workers import failover, watchdog

log = logger(__name__)

#: What sending raises while Redis cannot be used.
UNSENT = (OperationalError, OSError, redis.RedisError)


class Schedule(Scheduler):  # type: ignore[misc]
    """Sends each entry at its pace. Ticks carry no data: nothing is remembered, and one too many does nothing.

    It "ticks" when it has sent something: only that counts as progress for `watch`.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._due: dict[str, float] = {}
        super().__init__(*args, **kwargs)

    def tick(self, *args: Any, **kwargs: Any) -> float:  # noqa: ARG002
        """Send what is due; seconds until the next tick."""
        now = time.monotonic()
        sent = [self._send(entry, now) for entry in self._what_is_due(now)]
        if any(sent):
            watchdog.beat.ticked_at = now
        next_due = min(self._due.values(), default=now + self.max_interval)
        return float(max(0.01, min(next_due - time.monotonic(), self.max_interval)))

    def _what_is_due(self, now: float) -> Iterator[Any]:
        for name, entry in self.schedule.items():
            if now >= self._due.get(name, now):
                every = entry.schedule.seconds
                # on a grid of its pace, but no ticks are made up for
                self._due[name] = max(self._due.get(name, now) + every, now)
                yield entry

    def _send(self, entry: Any, now: float) -> bool:
        try:
            self.app.send_task(entry.task, entry.args, entry.kwargs, **entry.options)
        except UNSENT as failure:
            log.warning("the tick %s was not sent: %s", entry.name, failure)
            failover.look_for_primary(self.app, failure)
            watchdog.beat.excuse(now)  # a restart would fix nothing
            return False
        self.logger.info("Scheduler: Sending due task %s (%s)", entry.name, entry.task)
        return True
