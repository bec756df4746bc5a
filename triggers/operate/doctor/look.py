"""All looks, one after the other; what one of them cannot find out does not keep the others from looking."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import redis

from triggers.base import redis_refusals
from triggers.base.errors import TriggersError
from triggers.operate.doctor import api_calls, clearml_server, memory, permissions, redis_server, workers
from triggers.operate.doctor.findings import Finding
from triggers.operate.target import Target


def examine(target: Target) -> Iterator[Finding]:
    """Look at Redis, the ClearML server and the workers."""
    looks: dict[str, Callable[[], Iterator[Finding]]] = {
        "Redis": lambda: redis_server.look(target.ledger.store.client),
        "memory": lambda: memory.look(target),
        "ClearML": lambda: clearml_server.look(target),
        "API calls": lambda: api_calls.look(target),
        "workers": lambda: workers.look(target),
        "permissions": lambda: permissions.look(target),
    }
    for about, look in looks.items():
        try:
            yield from look()
        except (TriggersError, redis.RedisError, OSError) as failure:
            why = redis_refusals.said(failure) if redis_refusals.code_of(failure) else str(failure)
            yield Finding(about, "bad", f"cannot check: {why}", "fix this first, then run doctor again")
