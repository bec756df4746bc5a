"""What a process tells the account of API calls, and what it learns there: the pause of all, whether calls are left."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from typing import Final

import redis

from triggers.base.logs import logger
from triggers.clearml_api.calls import TALLY, Counted
from triggers.clearml_api.connection import Api
from triggers.clearml_api.pauses import Pause
from triggers.ledger.api_account import CallBook, Settled, SharedPause
from triggers.rules.api_budget import end_of_month, is_used_up, seconds_left

log = logger(__name__)

#: Pause between two talks with Redis, seconds. A process that is killed takes what it counted since with it.
SETTLE_SECONDS: Final = 1.0
#: How long calls wait while none is left; somebody may raise the limit meanwhile.
_USED_UP_SECONDS: Final = 60.0


def hand_in(book: CallBook) -> None:
    """Hand in what this process has counted, if anything: for one that is about to end.

    Raises:
        redis.RedisError: Redis gave no answer; nothing that was counted is lost.
    """
    counts = TALLY.take()
    if counts:
        _settle(book, counts, None)


def _settle(book: CallBook, counts: Mapping[Counted, int], limit: int | None, server: str = "") -> Settled:
    named = {(one.cause, one.endpoint, one.result): number for one, number in counts.items()}
    try:
        return book.settle(named, limit, server)
    except redis.RedisError:
        TALLY.put_back(counts)
        raise


class ApiAccount:
    """The account as one process sees it. Threads share it; each may call `settle` as often as it likes."""

    def __init__(self, limit: int | None, *, tells: bool = True) -> None:
        """Begin. `tells`: log pauses; no where another process logs them into the same terminal."""
        self.limit = limit
        self._tells, self._told_until = tells, 0.0
        self._next_at = 0.0
        self._lock = threading.Lock()
        self._used_up = False

    def settle(self, book: CallBook, api: Api | None, *, now: float | None = None, force: bool = False) -> None:
        """Hand in what was counted, share a pause, and keep that of the others; at most once a second.

        Args:
            book: of the Redis.
            api: whose calls have to wait where a pause is kept; None where only counts are handed in.
            now: of the monotonic clock.
            force: now, and not only once a second.

        Raises:
            redis.RedisError: Redis gave no answer; nothing that was counted is lost.
        """
        now = time.monotonic() if now is None else now
        new = api.new_pause if api is not None else None
        with self._lock:
            if now < self._next_at and not force and new is None:
                return
            self._next_at = now + SETTLE_SECONDS
        if api is not None and new is not None:
            book.share_pause(SharedPause(new.seconds, new.times, new.why, new.endpoint), api.shown_host)
            api.new_pause = None
        elif api is not None and api.gate.is_open_again:
            book.forget_pause(api.shown_host)
            api.gate.is_open_again = False
        settled = _settle(book, TALLY.take(), self.limit, api.shown_host if api is not None else "")
        if api is not None:
            self._keep_pauses(api, settled)
            self._tell(api, now)

    def _tell(self, api: Api, now: float) -> None:
        """Log a pause when this process learns of it, and that it is over when a call that was refused succeeds."""
        left, why = api.pause_seconds, api.gate.why
        with self._lock:
            until, is_new = now + left, left > 0 and now + left > self._told_until + SETTLE_SECONDS
            is_over = self._told_until > 0 and not left and not api.is_trying
            self._told_until = until if is_new else 0.0 if is_over else self._told_until
        if is_new and self._tells and not self._used_up:
            log.warning("the ClearML server takes no calls for %.0f s: %s; polls and launches wait", left, why)
        elif is_over and self._tells:
            log.warning("the ClearML server takes calls again")

    def _keep_pauses(self, api: Api, settled: Settled) -> None:
        shared = settled.pause
        if shared is not None and shared.seconds > 0:
            api.pause(Pause(shared.seconds, shared.times, shared.why, shared.endpoint))
        elif shared is None and api.new_pause is None:
            api.gate.open()
        used_up = is_used_up(self.limit, settled.made)
        if used_up:
            until = f"{end_of_month(settled.now):%Y-%m-%d}"
            why = f"all {self.limit} calls of TRIGGERS_API_CALLS_PER_MONTH are made; the next month begins on {until}"
            api.pause(Pause(min(_USED_UP_SECONDS, seconds_left(settled.now)), 0, why))
            if not self._used_up and self._tells:
                log.error("%s: polls and launches wait, and nothing is lost", why)
        self._used_up = used_up
