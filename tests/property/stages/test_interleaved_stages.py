"""The real stages in several processes, interleaved call by call, with every fault there is: promises hold.

Every seed is one history. A failing one is shortened: the actions that it takes to fail are printed with all calls.
`TRIGGERS_TEST_FACTOR=50` runs so many times as many, `TRIGGERS_TEST_SEED` begins elsewhere.
"""

from __future__ import annotations

import os
import random
from collections import Counter
from collections.abc import Sequence
from types import SimpleNamespace

import pytest
import redis

from tests.property.ledger.profile import FACTOR
from tests.property.stages import promises
from tests.property.stages.interleaving import ACTIONS, OUTCOMES, Action, Interleaving
from tests.property.stages.world import SCHEDULER
from triggers.ledger.firing import firing_key

HISTORIES = 60 * FACTOR
FIRST_SEED = int(os.environ.get("TRIGGERS_TEST_SEED", "0"))
#: so many histories are tried in order to shorten one that fails
SHORTENINGS = 0 if os.environ.get("TRIGGERS_TEST_NO_SHRINK") else 150


def plan_of(seed: int) -> list[Action]:
    """The actions of one history."""
    dice = random.Random(seed)
    begin: list[Action] = [("object_fails", 0, 0, "ok")] * dice.randrange(5)
    begin += [("look", 0, 0, "ok")] * dice.randrange(2)
    return begin + [
        (dice.choice(ACTIONS), dice.randrange(12), dice.randrange(12), dice.choice(OUTCOMES))
        for _ in range(dice.randrange(20, 70))
    ]


def play(run: Interleaving, plan: Sequence[Action]) -> None:
    """Let the actions happen, then let everything come to rest; promises are looked at after each."""
    try:
        for action in plan:
            run.do(*action)
            promises.check(run)
        run.faults_are_over()
        for _ in range(2 * len(run.objects) + 6):
            if not promises.missing(run):
                break
            run.round()
            promises.check(run)
        promises.the_history_is_consistent(run)
        assert not promises.missing(run), "not launched"
        slots_are_free_for_what_comes(run)
    finally:
        for process in run.world.processes:
            process.kill()


def slots_are_free_for_what_comes(run: Interleaving) -> None:
    """However the trigger that people edited was left, it launches for the next change."""
    if not run.editable:
        return
    run.triggers = [*run.steady, run.editable[1]]
    run.declare()
    run.object_fails()
    run.objects, made = run.objects[:-1], run.objects[-1]
    key = firing_key(SCHEDULER, "task:edited", made, 1)
    for _ in range(2 * len(run.objects) + 6):
        run.round()
        promises.check(run)
        if run.server.launched[key]:
            return
    raise AssertionError(f"the slot of the edited trigger is taken for ever: {run.world.ledger.by_hand.slots()}")


def failure_of(run: Interleaving, plan: Sequence[Action]) -> str:
    """What is broken in a history, "" if nothing is."""
    try:
        play(run, plan)
    except Exception as failure:
        cause = failure.__cause__ or failure
        return f"{type(cause).__name__}: {cause}"
    return ""


@pytest.mark.slow
@pytest.mark.timeout(36_000)
def test_whatever_is_interleaved_nothing_is_lost_or_doubled(
    redis_servers: list[redis.Redis], clock: SimpleNamespace
) -> None:
    seen: Counter[object] = Counter()
    for seed in range(FIRST_SEED, FIRST_SEED + HISTORIES):
        edits = seed % 2 == 0
        plan, run = plan_of(seed), Interleaving(redis_servers, clock, edits=edits)
        failure = failure_of(run, plan)
        seen.update(run.world.seen)
        if failure:
            for place in range(min(len(plan), SHORTENINGS) - 1, -1, -1):
                shorter, again = (
                    plan[:place] + plan[place + 1 :],
                    Interleaving(redis_servers, clock, edits=seed % 2 == 0),
                )
                if found := failure_of(again, shorter):
                    plan, run, failure = shorter, again, found
            pytest.fail("\n".join([f"seed {seed}: {failure}", *map(str, plan), *run.world.trace]), pytrace=False)
    print(*sorted(f"{count:6} {what}" for what, count in seen.items()), sep="\n")
