"""The account of calls to the ClearML API in Redis: of all processes and schedulers that share it, by the month.

Also what all of them obey: a pause that the ClearML server asked one of them for, and the limit by which they go.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import redis

from triggers.ledger.api_budget.api_lending import MONTH, MONTH_LIVES, CallLending, Hand, number_of
from triggers.ledger.keys import shared
from triggers.rules.api_budget import POLL, ApiUsage, month_of

_SUMS, _HOUR, _LIMIT = "api_requests", "api_calls:hour:", "api_limit"
_PAUSE, _LONGEST = "api_pauses", "api_pause"

#: Hours that count as recent; their keys live one longer.
_HOURS: Final = 24
#: How long a pause is remembered after its end, ms: the next one is longer then.
_PAUSE_REMEMBERED_MS: Final = 120_000

#: The longest pause that is kept, seconds: Redis' clock may have been set back since.
_LONGEST_PAUSE: Final = 3600.0

#: A pause of so many seconds is long, and one after so many refusals in a row: 2, 4, 8, 16 and 32 s were in vain.
LONG_SECONDS: Final = 60.0
_LONG_TIMES: Final = 6

#: KEYS: pauses by server, the longest of all. ARGV: JSON, until (ms, Redis' clock), life (ms), server.
#: Rules out: a short pause in the place of a long one that another process was asked for.
_PAUSE_SCRIPT: Final = """
local function ends(text)
  local ok, old = pcall(cjson.decode, text or '')
  return ok and type(old) == 'table' and tonumber(old.until_ms) or 0
end
local till = tonumber(ARGV[2])
if ends(redis.call('GET', KEYS[2])) < till then redis.call('SET', KEYS[2], ARGV[1], 'PX', ARGV[3]) end
if ends(redis.call('HGET', KEYS[1], ARGV[4])) >= till then return 0 end
redis.call('HSET', KEYS[1], ARGV[4], ARGV[1])
redis.call('PEXPIRE', KEYS[1], math.max(redis.call('PTTL', KEYS[1]), tonumber(ARGV[3])))
return 1
"""


#: KEYS: pauses by server. ARGV: server, now (ms, Redis' clock).
#: Rules out: forgetting a pause that another process was asked for meanwhile.
_OVER_SCRIPT: Final = """
local ok, old = pcall(cjson.decode, redis.call('HGET', KEYS[1], ARGV[1]) or '')
local till = ok and type(old) == 'table' and tonumber(old.until_ms) or 0
if till <= tonumber(ARGV[2]) then redis.call('HDEL', KEYS[1], ARGV[1]) end
"""


@dataclass(frozen=True, slots=True)
class SharedPause:
    """A pause that all processes keep.

    Attributes:
        seconds: what is left of it.
        times: how many answers in a row asked for one.
        why: by the server.
        endpoint: whose call was refused.
    """

    seconds: float
    times: int
    why: str
    endpoint: str = ""

    @property
    def is_long(self) -> bool:
        """Whether people should know of it: the server was asked for a minute in vain, or does not expect to be."""
        return self.seconds >= LONG_SECONDS or self.times >= _LONG_TIMES


@dataclass(frozen=True, slots=True)
class Settled:
    """What a process learns when it hands its counts in. `counted`: by it in the month of its hand, these included."""

    now: datetime
    made: int
    pause: SharedPause | None
    counted: int = 0


class CallBook(CallLending):
    """The account in one Redis. `clock`: in place of Redis' own."""

    def __init__(self, client: redis.Redis, clock: Callable[[], datetime] | None = None) -> None:
        super().__init__(client, clock or (lambda: _now(client)))

    def settle(
        self,
        counts: Mapping[tuple[str, str, str], int],
        limit: int | None,
        server: str = "",
        hand: Hand | None = None,
    ) -> Settled:
        """Add counts, by (cause, endpoint, result); learn the month's total and the pause of a server. Two trips.

        What Redis has forgotten of the calls that this process handed in before counts again, with two trips more.

        Args:
            counts: since the last time.
            limit: by which this process goes.
            server: whose pause is asked for.
            hand: what the process keeps in hand of the calls that were lent to it; the counts are of its month.

        Raises:
            redis.RedisError: Redis gave no answer; some may have been counted.
        """
        now = self._now()
        month = shared(MONTH + month_of(now))
        with self.client.pipeline(transaction=True) as pipe:
            if counts:
                _add(pipe, shared(MONTH + hand.month) if hand else month, now, counts)
            if limit is not None:
                pipe.set(shared(_LIMIT), limit, ex=3600)
            if hand is not None:
                self.keep(pipe, hand)
                self.count_for(pipe, hand, sum(counts.values()))
            pipe.hget(month, "made")
            pipe.hget(shared(_PAUSE), server)
            *_, known, made, pause = [0, *pipe.execute()]
        if hand is None:
            return Settled(now, number_of(made), _pause(pause, now))
        counted, known = hand.counted + sum(counts.values()), number_of(known)
        if known < counted:
            self.recount(hand, counted)
            made = self.client.hget(month, "made")
        return Settled(now, number_of(made), _pause(pause, now), max(known, counted))

    def share_pause(self, pause: SharedPause, server: str) -> None:
        """Let every process that calls this server keep a pause; of two, the one that ends last."""
        until_ms = int(self._now().timestamp() * 1000 + pause.seconds * 1000)
        text = json.dumps({"until_ms": until_ms, "times": pause.times, "why": pause.why, "endpoint": pause.endpoint})
        life_ms = int(pause.seconds * 1000) + _PAUSE_REMEMBERED_MS
        self.client.register_script(_PAUSE_SCRIPT)(
            keys=[shared(_PAUSE), shared(_LONGEST)], args=[text, until_ms, life_ms, server]
        )

    def forget_pause(self, server: str) -> None:
        """Let every process know that a server accepts calls again, unless it asked one for another pause meanwhile."""
        now_ms = int(self._now().timestamp() * 1000)
        self.client.register_script(_OVER_SCRIPT)(keys=[shared(_PAUSE)], args=[server, now_ms])

    def usage(self) -> ApiUsage:
        """What was counted this month and in the last day, in two trips.

        Raises:
            redis.RedisError: Redis gave no answer.
        """
        now = self._now()
        this_hour = int(now.timestamp()) // 3600
        with self.client.pipeline(transaction=False) as pipe:
            pipe.hgetall(shared(MONTH + month_of(now)))
            self.lent(pipe, now)
            for hour in range(this_hour - _HOURS + 1, this_hour + 1):
                pipe.hgetall(shared(_HOUR + str(hour)))
            fields, hands, *hours = pipe.execute()
        counts = Counter[tuple[str, str]]()
        for name, number in fields.items():
            if name.count(" ") == 2:
                cause, endpoint, _ = name.split(" ")
                counts[cause, endpoint] += number_of(number)
        known = [hour for hour in hours if hour]
        began = min((number_of(hour.get("began")) for hour in known), default=0)
        return ApiUsage(
            now,
            counts,
            recent=sum(number_of(hour.get("all")) for hour in known),
            recent_polls=sum(number_of(hour.get(POLL)) for hour in known),
            recent_seconds=max(0.0, now.timestamp() - began) if began else 0.0,
            lent=sum(map(number_of, hands)),
        )

    def pause_now(self) -> SharedPause | None:
        """The longest pause that processes keep now, whichever server asked for it; None without one."""
        pause = _pause(self.client.get(shared(_LONGEST)), self._now())
        return pause if pause and pause.seconds > 0 else None

    def pause_of(self, server: str) -> SharedPause | None:
        """What is left of the pause that a server asked for; None without one."""
        pause = _pause(self.client.hget(shared(_PAUSE), server), self._now())
        return pause if pause and pause.seconds > 0 else None

    def schedulers(self) -> int:
        """How many schedulers share the account; one at least."""
        found: Any = self.client.hlen(shared("schedulers"))
        return max(1, int(found))

    def limit_in_use(self) -> int | None:
        """The limit by which workers go, None for none."""
        found: Any = self.client.get(shared(_LIMIT))
        return int(found) if found and str(found).isdigit() else None


def _add(pipe: Any, month: str, now: datetime, counts: Mapping[tuple[str, str, str], int]) -> None:
    hour = shared(_HOUR + str(int(now.timestamp()) // 3600))
    total = sum(counts.values())
    for (cause, endpoint, result), number in counts.items():
        pipe.hincrby(shared(_SUMS), f"{endpoint} {result}", number)
        pipe.hincrby(month, f"{cause} {endpoint} {result}", number)
    pipe.hincrby(month, "made", total)
    pipe.hincrby(hour, "all", total)
    pipe.hincrby(hour, POLL, sum(number for (cause, *_), number in counts.items() if cause == POLL))
    pipe.hsetnx(hour, "began", int(now.timestamp()))
    pipe.expire(month, MONTH_LIVES)
    pipe.expire(hour, (_HOURS + 1) * 3600)


def _pause(text: Any, now: datetime) -> SharedPause | None:
    try:
        told = json.loads(text or "null")
        left = float(told["until_ms"]) / 1000 - now.timestamp()
        left = min(max(0.0, left), _LONGEST_PAUSE)
        return SharedPause(left, int(told["times"]), str(told["why"]), str(told.get("endpoint") or ""))
    except (ValueError, TypeError, KeyError, AttributeError):
        return None


def _now(client: redis.Redis) -> datetime:
    found: Any = client.time()
    seconds, micros = found
    return datetime.fromtimestamp(int(seconds) + int(micros) / 1e6, UTC)
