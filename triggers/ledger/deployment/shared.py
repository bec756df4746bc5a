"""What all schedulers of one Redis share beside their records: which beat ticks, how many calls were made.

For clients of Redis without a ledger: beat, exporter, `doctor`.
"""

from __future__ import annotations

import secrets
from typing import Any, Final

import redis

from triggers.base import forms, redis_refusals
from triggers.ledger.keys import shared

_BEAT, _API_REQUESTS, _PROBE = "beat", "api_requests", "doctor"

#: How long a beat that does not say anything keeps the schedule; two that tick for a moment do no harm. Seconds.
SILENT_SECONDS: Final = 4.0
#: When Redis forgets who ticked, ms; nothing else depends on it, since Redis' clock may be set back.
_FORGOTTEN_MS: Final = 15_000

#: KEYS: beat. ARGV: our name, what another beat reported last if it has been silent for too long, ms.
#: The value is a name and a number that is raised at every tick. Returns {1 if we tick, the value}.
#: Rules out: a beat that takes over from a live one; a wait for a dead one that depends on the wall clock.
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
            answer: Any = self._script(keys=[shared(_BEAT)], args=[self.name, silent, _FORGOTTEN_MS])
        except redis.RedisError as failure:
            redis_refusals.look_for_primary(self.client, failure)
            raise
        leads, said = bool(answer[0]), str(answer[1])
        if said != self._said:
            self._said, self._said_at = said, now
        return leads

    def give_up(self) -> None:
        """Let the next one lead at once."""
        if beat_said(self.client).partition(" ")[0] == self.name:
            self.client.delete(shared(_BEAT))


def beat_said(client: redis.Redis) -> str:
    """What the active beat reported last: it changes with every tick. "" if none ticks."""
    said: Any = client.get(shared(_BEAT))
    return str(said or "")


def api_requests(client: redis.Redis) -> dict[str, int]:
    """How many calls to the ClearML API ended how, by `<endpoint> <result>`."""
    sums: Any = client.hgetall(shared(_API_REQUESTS))
    return {field: forms.number(text) for field, text in sums.items()}


def probe_writing(client: redis.Redis) -> None:
    """Write something that is gone after a second.

    Raises:
        redis.RedisError: Redis takes no writes now.
    """
    client.set(shared(_PROBE), "1", px=1000)
