"""Reading on while Redis restarts, for verbs that follow what happens."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final, TypeVar

import redis

from triggers.base.errors import StoreUnavailable
from triggers.base.terminal import say

T = TypeVar("T")

#: Pause between two attempts, seconds.
PAUSE_SECONDS: Final = 1.0

#: What Redis raises while it is away, or loads its file.
_AWAY: Final = (redis.ConnectionError, redis.TimeoutError, StoreUnavailable)


def patient(read: Callable[[], T], *, sleep: Callable[[float], None] = time.sleep) -> T:
    """Read, again and again while Redis is away; standard error says so, once when it begins and once when it ends."""
    told = False
    while True:
        try:
            found = read()
        except _AWAY as failure:
            if not told:
                say(f"clearml-triggers: Redis gives no answer ({failure}); retrying", error=True)
            told = True
            sleep(PAUSE_SECONDS)
        else:
            if told:
                say("clearml-triggers: Redis answers again", error=True)
            return found
