"""The schedule of a cluster: of several beats one ticks, as long as it goes on saying so in Redis."""

from __future__ import annotations

import secrets
import time
from typing import Any, Final

import redis
from celery import Celery

from triggers.base import redis_refusals
from triggers.base.logs import logger
from triggers.base.settings import settings
from triggers.ledger import connect
from triggers.ledger.keys import BEAT, shared
from workers import watchdog
from workers.app import redis_address
from workers.schedule import UNSENT, Schedule

log = logger(__name__)

#: How long a beat that does not say anything keeps the schedule; two that tick for a moment do no harm. Seconds.
SILENT_SECONDS: Final = 4.0
#: Pause between two looks of a beat that stands by, seconds.
STANDBY_SECONDS: Final = 0.5
#: When Redis forgets who ticked, ms; nothing else depends on it, since Redis' clock may be set back.
_FORGOTTEN_MS: Final = 15_000

#: KEYS: beat. ARGV: our name, what another one said last if it has been silent for too long, ms.
#: The value is a name and a number that is raised at every tick. Returns {1 if we tick, the value}.
#: Rules out: a beat taking over from one that goes on counting; a dead one that is waited for by the wall clock.
_LEAD: Final = """
local said = redis.call('GET', KEYS[1]) or ''
local name, count = string.match(said, '^(%S+) (%d+)$')
if name and name ~= ARGV[1] and said ~= ARGV[2] then return {0, said} end
local mine = string.format('%s %d', ARGV[1], (tonumber(count) or 0) + 1)
redis.call('SET', KEYS[1], mine, 'PX', ARGV[3])
return {1, mine}
"""


class Leadership:
    """Which of several beats ticks. A silent one is known by its count of ticks, not by a wall clock."""

    def __init__(self, client: redis.Redis) -> None:
        self.client, self.name = client, secrets.token_hex(6)
        self._script = client.register_script(_LEAD)
        self._said, self._said_at = "", 0.0

    def take(self, now: float) -> bool:
        """Lead, or go on leading, if no other does; `now` is of this process' monotonic clock.

        Raises:
            redis.RedisError: Redis gave no answer.
        """
        silent = self._said if now - self._said_at >= SILENT_SECONDS else ""
        try:
            answer: Any = self._script(keys=[shared(BEAT)], args=[self.name, silent, _FORGOTTEN_MS])
        except redis.RedisError as failure:
            redis_refusals.look_for_primary(self.client, failure)
            raise
        leads, said = bool(answer[0]), str(answer[1])
        if said != self._said:
            self._said, self._said_at = said, now
        return leads

    def give_up(self) -> None:
        """Let the next one lead at once."""
        said: Any = self.client.get(shared(BEAT))
        if said and str(said).partition(" ")[0] == self.name:
            self.client.delete(shared(BEAT))


class Scheduler(Schedule):
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
                log.warning("Redis cannot be asked which beat ticks, asking again: %s", failure)
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
                log.info("the schedule is free in %g s: %s", SILENT_SECONDS, failure)
