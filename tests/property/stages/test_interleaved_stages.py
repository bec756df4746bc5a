"""The real stages in several processes, interleaved call by call, with every fault there is: promises hold.

Every seed is one history. `histories.py` plays them.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from types import SimpleNamespace

import pytest
import redis

from tests.property.ledger.profile import FACTOR
from tests.property.stages import promises
from tests.property.stages.histories import hold
from tests.property.stages.interleaving import ACTIONS, OUTCOMES, Action, Interleaving
from tests.property.stages.world import SCHEDULER
from triggers.ledger.firings.firing import firing_key

HISTORIES = 60 * FACTOR


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


@pytest.mark.slow
@pytest.mark.timeout(36_000)
def test_whatever_is_interleaved_nothing_is_lost_or_doubled(
    redis_servers: list[redis.Redis], clock: SimpleNamespace
) -> None:
    def begin(seed: int) -> Interleaving:
        return Interleaving(redis_servers, clock, edits=seed % 2 == 0)

    hold(HISTORIES, plan_of, begin, play)
