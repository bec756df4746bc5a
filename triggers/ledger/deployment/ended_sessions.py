"""Sessions of the console that people logged out of: a copy of their cookie opens nothing on any console.

Each lies there for as long as its cookie could still be used, and is forgotten by Redis itself.
"""

from __future__ import annotations

import math

import redis

from triggers.ledger.keys import shared


def _name(session: str) -> str:
    return shared(f"console_ended:{session}")


def note(client: redis.Redis, session: str, seconds: float) -> None:
    """Remember for so long that a session has ended. Idempotent.

    Raises:
        redis.RedisError: Redis gave no answer.
    """
    client.set(_name(session), "1", ex=math.ceil(seconds))


def is_noted(client: redis.Redis, session: str) -> bool:
    """Whether a session has ended.

    Raises:
        redis.RedisError: Redis gave no answer.
    """
    return bool(client.exists(_name(session)))
