"""Histories: plans of actions made from seeds, played one after the other, and shortened where one fails.

`TRIGGERS_TEST_FACTOR=50` plays so many times as many, `TRIGGERS_TEST_SEED` begins elsewhere.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import pytest

from tests.property.stages.interleaving import Action, Interleaving

Run = TypeVar("Run", bound=Interleaving)

FIRST_SEED = int(os.environ.get("TRIGGERS_TEST_SEED", "0"))
#: so many histories are tried in order to shorten one that fails
SHORTENINGS = 0 if os.environ.get("TRIGGERS_TEST_NO_SHRINK") else 150


def hold(
    count: int,
    plan_of: Callable[[int], list[Action]],
    begin: Callable[[int], Run],
    play: Callable[[Run, Sequence[Action]], None],
) -> Counter[Any]:
    """Play so many histories; what was seen in them. One that fails is shortened: its actions and calls are printed.

    `begin` makes what a seed's plan is played in, `play` raises for a promise that is broken.
    """
    seen: Counter[Any] = Counter()
    for seed in range(FIRST_SEED, FIRST_SEED + count):
        plan, run = plan_of(seed), begin(seed)
        failure = _failure_of(run, plan, play)
        seen.update(run.world.seen)
        if failure:
            for place in range(min(len(plan), SHORTENINGS) - 1, -1, -1):
                shorter, again = plan[:place] + plan[place + 1 :], begin(seed)
                if found := _failure_of(again, shorter, play):
                    plan, run, failure = shorter, again, found
            pytest.fail("\n".join([f"seed {seed}: {failure}", *map(str, plan), *run.world.trace]), pytrace=False)
    print(*sorted(f"{number:6} {what}" for what, number in seen.items()), sep="\n")
    return seen


def _failure_of(run: Run, plan: Sequence[Action], play: Callable[[Run, Sequence[Action]], None]) -> str:
    """What is broken in a history, "" if nothing is."""
    try:
        play(run, plan)
    except Exception as failure:
        cause = failure.__cause__ or failure
        return f"{type(cause).__name__}: {cause}"
    finally:
        for process in run.world.processes:
            process.kill()
    return ""
