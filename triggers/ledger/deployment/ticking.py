"""Stints in Redis: which worker makes the ticks of a queue by itself, so that beat does not send each of them.

For clients of Redis without a ledger: beat, workers.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final

import redis

from triggers.base import forms
from triggers.ledger.keys import shared

#: How long the record of a stint outlives the stint, seconds: after the last beat has ended, a worker soon stops, too.
_LONGER_SECONDS: Final = 10.0

#: KEYS: ticking. ARGV: our name; `take` (a tick from the queue), `go on`, or `leave`. Returns 1 if we have the stint.
#: Rules out: two workers with a stint on one queue; a stint that beat does not know of.
_STEP: Final = """
local by = redis.call('HGET', KEYS[1], 'by')
if not by or (ARGV[2] ~= 'take' and by ~= ARGV[1]) then return 0 end
if ARGV[2] == 'leave' then return redis.call('DEL', KEYS[1]) end
redis.call('HSET', KEYS[1], 'by', ARGV[1], 'count', (tonumber(redis.call('HGET', KEYS[1], 'count') or '') or 0) + 1)
return 1
"""


class Ticking:
    """The stints of all queues. Only promptness depends on them: two do no harm, and without one, beat sends each tick.

    Raises:
        redis.RedisError: Redis gave no answer.
    """

    def __init__(self, client: redis.Redis) -> None:
        self.client = client
        self._step = client.register_script(_STEP)

    def open(self, queue: str, seconds: float) -> None:
        """Allow a stint to the worker that takes the next tick from a queue. For beat, before it sends that tick.

        `seconds`: length of the stint; then beat sends the next tick.
        """
        name = _key(queue)
        with self.client.pipeline(transaction=False) as pipe:
            pipe.hsetnx(name, "by", "")
            pipe.pexpire(name, math.ceil((seconds + _LONGER_SECONDS) * 1000))
            pipe.execute()

    def counts(self, queues: Sequence[str]) -> dict[str, int | None]:
        """Number of ticks that each queue's stint has counted, in one trip to Redis; None without a stint."""
        with self.client.pipeline(transaction=False) as pipe:
            for queue in queues:
                pipe.hget(_key(queue), "count")
            found = pipe.execute()
        return {queue: forms.number(text) if text else None for queue, text in zip(queues, found, strict=True)}

    def take(self, queue: str, name: str) -> bool:
        """Begin or continue a stint, after taking a tick from the queue; False if beat has allowed none."""
        return self._do(queue, name, "take")

    def go_on(self, queue: str, name: str) -> bool:
        """Count another tick; False if another worker has the stint, or beat has ended."""
        return self._do(queue, name, "go on")

    def leave(self, queue: str, name: str) -> None:
        """End a stint: beat sends the next tick."""
        self._do(queue, name, "leave")

    def _do(self, queue: str, name: str, step: str) -> bool:
        answer: Any = self._step(keys=[_key(queue)], args=[name, step])
        return bool(answer)


def _key(queue: str) -> str:
    return shared(f"ticking:{queue}")
