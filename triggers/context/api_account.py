"""What a process tells the account of API calls, and what it learns there: the pause of all, whether calls are left.

If calls are limited, a process reserves them before it makes them. Whatever happens to it, calls made and calls
reserved by all processes together never exceed the limit.
"""

from __future__ import annotations

import os
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Final

import redis

from triggers.base.errors import ServerBusy
from triggers.base.logs import logger
from triggers.clearml_api.calls import TALLY, CallTally, Counted
from triggers.clearml_api.connection import Api
from triggers.clearml_api.pauses import Pause
from triggers.ledger.api_budget.api_account import CallBook, Settled, SharedPause
from triggers.ledger.api_budget.api_lending import Hand
from triggers.rules.api_budget import POLL, end_of_month, is_used_up, kept_for_launches, month_of, seconds_left

log = logger(__name__)

#: Pause between two talks with Redis, seconds. A process that is killed takes what it counted since with it.
SETTLE_SECONDS: Final = 1.0
#: Calls that a process takes in hand at once. One that is killed leaves no more than these, which count as made.
IN_HAND: Final = 8
#: How long they may be made, seconds; and no longer than their month lasts.
IN_HAND_SECONDS: Final = 60.0
#: What a pause of our own names.
_SETTING: Final = "TRIGGERS_API_CALLS_PER_MONTH"
#: How long calls wait while none is left; somebody may raise the limit meanwhile.
_USED_UP_SECONDS: Final = 60.0
#: The same while other processes have reserved the last calls, which they may return.
_LENT_SECONDS: Final = 2.0


def hand_in(book: CallBook) -> None:
    """Hand in what this process has counted, if anything: for one that is about to end.

    Raises:
        redis.RedisError: Redis gave no answer; nothing that was counted is lost.
    """
    counts = TALLY.take()
    if counts:
        _settle(book, TALLY, counts, None)


def _settle(
    book: CallBook,
    tally: CallTally,
    counts: Mapping[Counted, int],
    limit: int | None,
    server: str = "",
    hand: Hand | None = None,
) -> Settled:
    named = {(one.cause, one.endpoint, one.result): number for one, number in counts.items()}
    try:
        return book.settle(named, limit, server, hand)
    except redis.RedisError:
        tally.put_back(counts)
        raise


@dataclass
class _InHand:
    """Calls that this process may make until a time of its monotonic clock."""

    calls: int = 0
    until: float = 0.0


class ApiAccount:
    """The account as one process sees it. Threads share it; each may call `settle` as often as it likes."""

    def __init__(
        self,
        limit: int | None,
        *,
        tells: bool = True,
        clock: Callable[[], float] = time.monotonic,
        tally: CallTally = TALLY,
    ) -> None:
        """Prepare; nothing is asked.

        Args:
            limit: calls in a month of all together; None for no limit.
            tells: log pauses; no where another process logs them into the same terminal.
            clock: monotonic.
            tally: what was called.
        """
        self.limit, self._clock, self._tally = limit, clock, tally
        self._tells, self._told_until = tells, 0.0
        self._next_at = 0.0
        self._lock = threading.RLock()
        self._said: set[bool] = set()
        self._name = secrets.token_hex(6)
        self._hands = {for_polls: _InHand() for for_polls in (False, True)}
        #: of what is in hand; "" before anything was
        self._month = ""
        #: calls that a process has handed in, in a month: of this one, or of the one that it was forked from
        self._counted: tuple[str, str, int] = ("", "", 0)

    @property
    def has_calls(self) -> bool:
        """Whether this process has calls in hand."""
        return any(hand.calls for hand in self._hands.values())

    def settle(self, book: CallBook, api: Api | None, *, force: bool = False) -> None:
        """Hand in what was counted, share a pause, and keep that of the others; at most once a second.

        Where calls are limited, what is in hand is given back, and further calls of this client are taken in hand.

        Args:
            book: of the Redis.
            api: whose calls have to wait where a pause is kept; None where only counts are handed in.
            force: now, and not only once a second.

        Raises:
            redis.RedisError: Redis gave no answer; nothing that was counted is lost.
        """
        now = self._clock()
        new = api.new_pause if api is not None else None
        if api is not None:
            self.limit_calls(book, api)
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
        settled = self._account(book, api.shown_host if api is not None else "")
        if api is not None:
            self._keep_pauses(api, settled)
            self._tell(api)

    def _tell(self, api: Api) -> None:
        """Log a pause when this process learns of it, and that it is over when a call that was refused succeeds."""
        why, now = api.gate.why, time.monotonic()
        left = 0.0 if _SETTING in why else api.pause_seconds  # else the pause is our own
        with self._lock:
            until, is_new = now + left, left > 0 and now + left > self._told_until + SETTLE_SECONDS
            is_over = self._told_until > 0 and not left and not api.is_trying
            self._told_until = until if is_new else 0.0 if is_over else self._told_until
        if is_new and self._tells:
            log.warning("the ClearML server refuses calls for %.0f s: %s; polls and launches wait", left, why)
        elif is_over and self._tells:
            log.warning("the ClearML server accepts calls again")

    def limit_calls(self, book: CallBook, api: Api) -> None:
        """Let a client make no call that was not taken in hand, where calls are limited. Idempotent."""
        if self.limit is not None and api.spend is None:
            api.spend = partial(self.spend, book, api)

    def spend(self, book: CallBook, api: Api, cause: str) -> None:
        """Take one call of those in hand, and some in hand before where none is.

        Raises:
            ServerBusy: none is left, or Redis does not say whether one is. Nothing was sent.
        """
        for_polls = cause == POLL
        with self._lock:
            hand = self._hands[for_polls]
            if hand.calls <= 0 or self._clock() >= hand.until:
                try:
                    self._borrow(book, api, for_polls=for_polls)
                except redis.RedisError as failure:
                    raise ServerBusy(
                        f"not asked: Redis does not say whether calls are left: {failure}", 1.0
                    ) from failure
                hand = self._hands[for_polls]
            hand.calls -= 1

    def _account(self, book: CallBook, server: str) -> Settled:
        """Hand in what was counted, and give back what is in hand but for the calls that are under way."""
        if self.limit is None:
            return _settle(book, self._tally, self._tally.take(), None, server)
        with self._lock:  # what another thread takes in hand meanwhile would be forgotten
            for hand in self._hands.values():
                hand.calls = 0
            under_way = self._tally.under_way  # before the counts: what ends in between counts as both
            if not self._month:
                return _settle(book, self._tally, self._tally.take(), self.limit, server)
            process = f"{self._name}-{os.getpid()}"
            counted = self._counted[2] if self._counted[:2] == (process, self._month) else 0
            kept = Hand(process, self._month, under_way, counted)
            settled = _settle(book, self._tally, self._tally.take(), self.limit, server, kept)
            self._counted = (process, self._month, settled.counted)
            return settled

    def _borrow(self, book: CallBook, api: Api, *, for_polls: bool) -> None:
        """Reserve calls; the lock is held."""
        assert self.limit is not None
        if self.has_calls:  # they have expired, with their month perhaps
            self._account(book, api.shown_host)
        now = self._clock()
        loan = book.lend(f"{self._name}-{os.getpid()}", IN_HAND, self.limit, for_polls=for_polls)
        month = month_of(loan.now)
        if self._month not in ("", month):
            self._account(book, api.shown_host)
        self._month = month
        if not loan.calls:
            self._refuse(api, loan.now, loan.made, for_polls=for_polls)
        until = now + min(IN_HAND_SECONDS, seconds_left(loan.now))
        self._hands[for_polls] = _InHand(loan.calls, until)
        self._said.discard(for_polls)

    def _refuse(self, api: Api, now: datetime, made: int, *, for_polls: bool) -> None:
        """Say that no call is left, once, and raise it."""
        assert self.limit is not None
        kept = kept_for_launches(self.limit) if for_polls else 0
        if is_used_up(self.limit - kept, made):
            seconds, why = min(_USED_UP_SECONDS, seconds_left(now)), self._why(now, kept)
            self._say(why, for_polls=for_polls)
        else:
            seconds, why = _LENT_SECONDS, f"other processes have reserved the last calls of {_SETTING}"
        if not for_polls:
            api.pause(Pause(seconds, 0, why))
        raise ServerBusy(f"not asked: {why}", seconds)

    def _why(self, now: datetime, kept: int) -> str:
        until = f"the next month begins on {end_of_month(now):%Y-%m-%d}"
        if kept:
            return f"the last {kept} of {self.limit} calls of {_SETTING} are for launches; {until}"
        return f"all {self.limit} calls of {_SETTING} are made; {until}"

    def _keep_pauses(self, api: Api, settled: Settled) -> None:
        shared = settled.pause
        if shared is not None and shared.seconds > 0:
            api.pause(Pause(shared.seconds, shared.times, shared.why, shared.endpoint))
        elif shared is None and api.new_pause is None:
            api.gate.open()
        if self.limit is None or not is_used_up(self.limit, settled.made):
            self._said.discard(False)
            return
        why = self._why(settled.now, 0)
        api.pause(Pause(min(_USED_UP_SECONDS, seconds_left(settled.now)), 0, why))
        self._say(why, for_polls=False)

    def _say(self, why: str, *, for_polls: bool) -> None:
        """Log once that no call is left, for anything or for polls."""
        if for_polls not in self._said and self._tells:
            log.error("%s: %s wait, and nothing is lost", why, "polls" if for_polls else "polls and launches")
        self._said.add(for_polls)
