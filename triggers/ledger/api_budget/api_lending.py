"""Calls to the ClearML API that are lent to processes where they are limited, and those that another Redis counted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import redis

from triggers.ledger.keys import shared
from triggers.rules.api_budget import month_of, to_lend

MONTH: Final = "api_calls:"
_LENT: Final = "api_calls:lent:"
_COUNTED: Final = "api_calls:counted:"
_RESTORED: Final = "api_calls:restored:"
#: What calls count as of which another Redis knew no more than how many they were.
RESTORED: Final = "restored unknown unknown"
#: How long a month stays readable after its last call, seconds.
MONTH_LIVES: Final = 100 * 86_400

#: For how long processes that still run may say which of the calls that were restored are theirs, seconds.
CLAIM_SECONDS: Final = 600

#: KEYS: month, lent, restored of late. ARGV: calls by the last count known, calls by now, what the missing ones count
#: as, life (s), life of what was restored of late (s).
#: Returns how many were missing. Rules out: two that restore the same count, so that it counts twice.
_RESTORE_SCRIPT: Final = """
local made = tonumber(redis.call('HGET', KEYS[1], 'made') or '') or 0
for _, calls in ipairs(redis.call('HVALS', KEYS[2])) do made = made + (tonumber(calls) or 0) end
if made >= tonumber(ARGV[1]) then return 0 end
local more = math.max(tonumber(ARGV[1]), tonumber(ARGV[2])) - made
redis.call('HINCRBY', KEYS[1], 'made', more)
redis.call('HINCRBY', KEYS[1], ARGV[3], more)
redis.call('EXPIRE', KEYS[1], ARGV[4])
redis.call('INCRBY', KEYS[3], more)
redis.call('EXPIRE', KEYS[3], ARGV[5])
return more
"""

#: KEYS: month, counted, restored of late. ARGV: process, calls that it counted in the month, what the missing ones
#: count as, life (s). Returns how many were missing, beside those that were restored already.
#: Rules out: a call that counts twice, since the count that was restored held it.
_RECOUNT_SCRIPT: Final = """
local missing = tonumber(ARGV[2]) - (tonumber(redis.call('HGET', KEYS[2], ARGV[1]) or '') or 0)
if missing <= 0 then return 0 end
redis.call('HSET', KEYS[2], ARGV[1], ARGV[2])
redis.call('EXPIRE', KEYS[2], ARGV[4])
local known = math.min(missing, tonumber(redis.call('GET', KEYS[3]) or '') or 0)
if known > 0 then redis.call('INCRBY', KEYS[3], -known) end
local more = missing - known
if more <= 0 then return 0 end
redis.call('HINCRBY', KEYS[1], 'made', more)
redis.call('HINCRBY', KEYS[1], ARGV[3], more)
redis.call('EXPIRE', KEYS[1], ARGV[4])
return more
"""


@dataclass(frozen=True, slots=True)
class Hand:
    """What a process has of a month where calls are limited.

    Attributes:
        process: its name.
        month: of which.
        calls: in hand: lent to it, and not counted yet.
        counted: those that it has handed in before, which Redis may have forgotten since.
    """

    process: str
    month: str
    calls: int
    counted: int = 0


@dataclass(frozen=True, slots=True)
class Loan:
    """Calls lent to a process, in a month; fewer than it wanted where few are left. `now`: by Redis' clock."""

    now: datetime
    calls: int
    made: int


class CallLending:
    """What a `CallBook` lends. `now`: its clock."""

    def __init__(self, client: redis.Redis, now: Callable[[], datetime]) -> None:
        self.client, self._now = client, now

    def lend(self, process: str, wanted: int, limit: int, *, for_polls: bool) -> Loan:
        """Lend calls to a process, which may make them from now on; two trips, three where few are left.

        What it wants is entered first, and taken back as far as it is too much: of two at once, neither gets what the
        other has. What a process that is killed had in hand stays lent until the month ends.

        Raises:
            redis.RedisError: Redis gave no answer; they may be lent.
        """
        now = self._now()
        month = month_of(now)
        lent = shared(_LENT + month)
        with self.client.pipeline(transaction=True) as pipe:
            pipe.hincrby(lent, process, wanted)
            pipe.expire(lent, MONTH_LIVES)
            pipe.hvals(lent)
            pipe.hget(shared(MONTH + month), "made")
            *_, hands, made = pipe.execute()
        others = sum(map(number_of, hands)) - wanted
        calls = to_lend(limit, number_of(made), others, wanted, for_polls=for_polls)
        if calls < wanted:
            self.client.hincrby(lent, process, calls - wanted)
        return Loan(now, calls, number_of(made))

    def restore(self, month: str, saved: int, by_now: int) -> int:
        """Count what another Redis had counted in a month, where this one has lost it; how many calls. Idempotent.

        Args:
            month: of which.
            saved: calls made or lent by the last count known: where this Redis has as many, it has lost nothing.
            by_now: calls that were made by now, as far as known.
        """
        script = self.client.register_script(_RESTORE_SCRIPT)
        args: list[str | int] = [saved, by_now, RESTORED, MONTH_LIVES, CLAIM_SECONDS]
        return int(script(keys=[shared(name + month) for name in (MONTH, _LENT, _RESTORED)], args=args))

    def count_for(self, pipe: Any, hand: Hand, calls: int) -> None:
        """Count calls for a process, in a trip with others, which answers with all that Redis knows of it."""
        name = shared(_COUNTED + hand.month)
        pipe.expire(name, MONTH_LIVES)
        pipe.hincrby(name, hand.process, calls)

    def recount(self, hand: Hand, counted: int) -> int:
        """Count anew what Redis has forgotten of a process: it lost its last seconds. How many calls. Idempotent."""
        script = self.client.register_script(_RECOUNT_SCRIPT)
        args: list[str | int] = [hand.process, counted, RESTORED, MONTH_LIVES]
        return int(script(keys=[shared(name + hand.month) for name in (MONTH, _COUNTED, _RESTORED)], args=args))

    def lent(self, pipe: Any, now: datetime) -> None:
        """Ask what all processes have in hand, in a trip with others."""
        pipe.hvals(shared(_LENT + month_of(now)))

    def keep(self, pipe: Any, hand: Hand) -> None:
        """Enter what a process has in hand, in a trip with others: as it is, whatever Redis knew of it."""
        name = shared(_LENT + hand.month)
        if hand.calls:
            pipe.hset(name, hand.process, hand.calls)
            pipe.expire(name, MONTH_LIVES)
        else:
            pipe.hdel(name, hand.process)


def number_of(text: Any) -> int:
    """A number as Redis has it; 0 for other text."""
    try:
        return int(text or 0)
    except ValueError:
        return 0
