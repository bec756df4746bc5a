"""The ledger's clock, read from outside of a script; `clock.lua` says what it is."""

from __future__ import annotations

from typing import Any, Final

import redis

from triggers.ledger.keys import Keys

#: Of the time that passes the ledger's clock falls back to Redis' by one part in so many (`clock.lua`).
FALL: Final = 16


def read(client: redis.Redis, keys: Keys) -> tuple[int, int]:
    """The ledger's time, and how far it is ahead of Redis' wall clock, which was set back; ms."""
    with client.pipeline(transaction=True) as pipe:
        ask(pipe, keys)
        return made_of(*pipe.execute())


def ask(pipe: Any, keys: Keys) -> None:
    """Ask for it in a trip with others; `made_of` says what the two answers mean."""
    pipe.time()
    pipe.hmget(keys.epoch, ["clock_ms", "ahead_ms"])


def made_of(time: Any, known: Any) -> tuple[int, int]:
    """The ledger's time, and how far it is ahead of Redis' wall clock."""
    wall_ms = int(time[0]) * 1000 + int(time[1]) // 1000
    last_ms, ahead_ms = (_number(text) for text in known)
    now_ms = max(wall_ms + ahead_ms, last_ms)
    return now_ms, now_ms - wall_ms


def now_ms(client: redis.Redis, keys: Keys) -> int:
    """The ledger's time."""
    return read(client, keys)[0]


def wall_ms(client: redis.Redis, keys: Keys) -> int:
    """Redis' wall clock, wherever people or NTP set it."""
    now, ahead = read(client, keys)
    return now - ahead


def _number(text: Any) -> int:
    return int(text) if text and str(text).isdigit() else 0
