"""Which workers leave a scheduler alone, and why: written by them, read by `status` and `doctor`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

import redis

from triggers.ledger.keys import shared

#: A worker that has not repeated its report for this long is gone, or serves the scheduler now, ms.
VALID_MS: Final = 60_000


def say(client: redis.Redis, worker: str, reasons: Mapping[str, str]) -> None:
    """Report why a worker leaves schedulers alone, by their id; without any, withdraw its report.

    Raises:
        redis.RedisError: Redis gave no answer.
    """
    key = shared("left_alone")
    if not reasons:
        client.hdel(key, worker)
        return
    now_ms = _now_ms(client)
    gone = [name for name, text in _texts(client).items() if _age_ms(text, now_ms) > VALID_MS]
    if gone:
        client.hdel(key, *gone)
    client.hset(key, worker, json.dumps({"at_ms": now_ms, "reasons": dict(reasons)}))


def of(client: redis.Redis, scheduler: str) -> dict[str, str]:
    """The workers that leave a scheduler alone now, each with its reason."""
    now_ms, found = _now_ms(client), {}
    for worker, text in _texts(client).items():
        if _age_ms(text, now_ms) <= VALID_MS:
            reason = json.loads(text)["reasons"].get(scheduler)
            if isinstance(reason, str):
                found[worker.rpartition(":")[0] or worker] = reason
    return found


def _texts(client: redis.Redis) -> dict[str, str]:
    texts: Any = client.hgetall(shared("left_alone"))
    return dict(texts)


def _age_ms(text: str, now_ms: int) -> int:
    """How old an entry is; one that cannot be read, or is from before the clock was set back, is too old."""
    try:
        entry = json.loads(text)
        return abs(now_ms - int(entry["at_ms"])) if isinstance(entry["reasons"], dict) else VALID_MS + 1
    except (ValueError, TypeError, KeyError, RecursionError):
        return VALID_MS + 1


def _now_ms(client: redis.Redis) -> int:
    now: Any = client.time()
    return int(now[0]) * 1000 + int(now[1]) // 1000
