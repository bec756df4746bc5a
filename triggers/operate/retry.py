"""Reading on while Redis restarts or refuses, for verbs that follow what happens."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final, TypeVar

import redis

from triggers.base import redis_refusals
from triggers.base.errors import EpochChanged, StoreUnavailable
from triggers.base.terminal import say

T = TypeVar("T")

#: Pause between two attempts, seconds.
PAUSE_SECONDS: Final = 1.0

#: The one refusal that a verb does not wait out: somebody has to grant the right, and start the verb again.
_FOR_GOOD: Final = "NOPERM"


def patient(read: Callable[[], T], renew: Callable[[], object], *, sleep: Callable[[float], None] = time.sleep) -> T:
    """Read, again and again while Redis is away or refuses; standard error says when that begins and when it ends.

    Args:
        read: what to do; it may be done several times.
        renew: learns the present run of Redis, after a restart and before the next attempt.
        sleep: pauses between two attempts.
    """
    told, is_new_run = set[str](), False
    while True:
        try:
            if is_new_run:
                renew()
            is_new_run, found = False, read()
        except EpochChanged:
            is_new_run = True
            sleep(PAUSE_SECONDS / 10)
        except (redis.RedisError, StoreUnavailable) as failure:
            code = _code_worth_waiting(failure)
            # a restart is refused in several ways until it is over; the need for a person is reported in any case
            if not told or (code not in told and redis_refusals.needs_person(_cause(failure))):
                say(f"clearml-triggers: {redis_refusals.said(_cause(failure))}; retrying", error=True)
            told.add(code)
            sleep(PAUSE_SECONDS)
        else:
            if told:
                say("clearml-triggers: Redis answers again", error=True)
            return found


def _cause(failure: redis.RedisError | StoreUnavailable) -> BaseException:
    return failure if isinstance(failure, redis.RedisError) else failure.__cause__ or failure


def _code_worth_waiting(failure: redis.RedisError | StoreUnavailable) -> str:
    """The code of a refusal that may end; any other failure is raised."""
    code = redis_refusals.code_of(_cause(failure))
    if code == _FOR_GOOD or not code:
        raise failure
    return code
