"""The schedule of a cluster: of several beats one ticks, as long as it goes on saying so in Redis."""

from __future__ import annotations

import time
from typing import Any, Final

from celery import Celery

from triggers.base.logs import logger
from triggers.base.settings import settings
from triggers.ledger import connect
from triggers.ledger.deployment.shared import SILENT_SECONDS, Leadership
from workers import watchdog
from workers.app import redis_address
from workers.schedule import UNSENT, Schedule

log = logger(__name__)

#: Pause between two looks of a beat that stands by, seconds.
STANDBY_SECONDS: Final = 0.5


class LeadingSchedule(Schedule):
    """One of several, of which one ticks."""

    def __init__(self, app: Celery, *args: Any, lazy: bool = False, **kwargs: Any) -> None:
        self._leadership: Leadership | None = None
        self._led = False
        self._trouble = ""
        if not lazy:
            watchdog.refuse_redis()
            of = settings()
            redis_address(of.redis_url)  # there has to be one
            self._leadership = Leadership(connect(str(of.redis_url)))
        super().__init__(app, *args, lazy=lazy, **kwargs)

    def tick(self, *args: Any, **kwargs: Any) -> float:
        """Send what is due, if this is the beat that ticks; seconds until the next look."""
        assert self._leadership is not None
        now = time.monotonic()
        try:
            leads = self._leadership.take(now)
        except UNSENT as failure:
            if str(failure) != self._trouble:
                log.warning("cannot read from Redis which beat ticks; retrying: %s", failure)
            self._trouble = str(failure)
            watchdog.beat.excuse(now)
            return STANDBY_SECONDS
        if self._trouble:
            log.info("Redis answers again")
            self._trouble = ""
        if leads != self._led:
            log.info("this beat ticks" if leads else "another beat ticks")
            self._led, self._due = leads, {}
            # the one that stands by only has to be there; the other has to tick from now on
            watchdog.beat.ticked_at = now if leads else None
        return super().tick(*args, **kwargs) if leads else STANDBY_SECONDS

    def close(self) -> None:
        """End: the next beat takes over at once."""
        super().close()
        if self._leadership is not None:
            try:
                self._leadership.give_up()
            except UNSENT as failure:
                log.info("could not release the schedule, which is free in %g s: %s", SILENT_SECONDS, failure)
