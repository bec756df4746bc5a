"""Stints: which worker ticks by itself for a queue after it took a tick, so that beat need not send each of them.

For clients of Redis without a ledger: beat, workers.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final

import redis

from triggers.base import forms
from triggers.ledger.keys import shared

#: How much longer than it lasts a stint is known in Redis: nobody goes on for long after the last beat has ended, s.
_LONGER_SECONDS: Final = 10.0

#: KEYS: ticking. ARGV: our name, take (a tick was taken from the queue), go on, or leave. Returns 1 if we tick.
#: Rules out: two workers that go on ticking for one queue; one that does where beat knows nothing of it.
_STEP: Final = """
local by = redis.call('HGET', KEYS[1], 'by')
if not by or (ARGV[2] ~= 'take' and by ~= ARGV[1]) then return 0 end
if ARGV[2] == 'leave' then return redis.call('DEL', KEYS[1]) end
redis.call('HSET', KEYS[1], 'by', ARGV[1], 'count', (tonumber(redis.call('HGET', KEYS[1], 'count') or '') or 0) + 1)
return 1
"""


class Ticking:
    """The stints of all queues. Only promptness depends on them: two that tick do no harm; where none does, beat sends.

    Raises:
        redis.RedisError: Redis gave no answer.
    """

    def __init__(self, client: redis.Redis) -> None:
        self.client = client
        self._step = client.register_script(_STEP)

    def open(self, queue: str, seconds: float) -> None:
        """Let whoever takes the next tick from a queue go on by itself. For beat, before it sends that tick.

        `seconds`: until beat sends the next one in any case.
        """
        name = _key(queue)
        with self.client.pipeline(transaction=False) as pipe:
            pipe.hsetnx(name, "by", "")
            pipe.pexpire(name, math.ceil((seconds + _LONGER_SECONDS) * 1000))
            pipe.execute()

    def counts(self, queues: Sequence[str]) -> dict[str, int | None]:
        """How often the worker that goes on has ticked, by queue, in one trip; None if there is none."""
        with self.client.pipeline(transaction=False) as pipe:
            for queue in queues:
                pipe.hget(_key(queue), "count")
            found = pipe.execute()
        return {queue: forms.number(text) if text else None for queue, text in zip(queues, found, strict=True)}

    def take(self, queue: str, name: str) -> bool:
        """Begin a stint, or go on with it, having taken a tick from the queue; False where beat opened none."""
        return self._do(queue, name, "take")

    def go_on(self, queue: str, name: str) -> bool:
        """Count another tick; False when this one is another worker's, or beat has ended."""
        return self._do(queue, name, "go on")

    def leave(self, queue: str, name: str) -> None:
        """End a stint: beat sends the next tick."""
        self._do(queue, name, "leave")

    def _do(self, queue: str, name: str, step: str) -> bool:
        answer: Any = self._step(keys=[_key(queue)], args=[name, step])
        return bool(answer)


def _key(queue: str) -> str:
    return shared(f"ticking:{queue}")
