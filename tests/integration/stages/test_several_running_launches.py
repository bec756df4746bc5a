"""`single_instance` switched on while several launches of the trigger run: none starts before all of them ended."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import pytest

from tests.integration.stages.conftest import World
from triggers.rules.recovery import RUNNING

SINGLE = {"single_instance": True}


def running(world: World) -> list[str]:
    return [clone["id"] for clone in world.clones() if clone["status"] in RUNNING]


def several(world: World, number: int = 3) -> list[str]:
    """So many launches that run beside each other, oldest first."""
    known = set(running(world))
    for _ in range(number):
        world.tick()
        world.fail_task()
        world.step()
    return [id_ for id_ in running(world) if id_ not in known]


def ends(world: World, id_: str) -> None:
    """The launch has run, and everything about it is visible."""
    world.call("tasks.started", task=id_, force=True)
    world.call("tasks.completed", task=id_)
    world.launched_before(id_, 100)


def fires(world: World) -> list[str]:
    """What runs after one more change."""
    world.tick()
    world.fail_task()
    world.step()
    for _ in range(2):
        world.expire_leases()
        world.reconcile()
    return running(world)


@pytest.mark.parametrize("overlap", ["skip", "queue"])
@pytest.mark.parametrize("order", itertools.permutations(range(3)))
def test_they_end_in_any_order(world: World, order: Sequence[int], overlap: str) -> None:
    world.declare(world.trigger())
    old = several(world)
    world.declare(world.trigger(policy=SINGLE | {"overlap": overlap}))
    for number in order:
        assert set(fires(world)) <= set(old), "one of them runs"
        ends(world, old[number])
    assert len(fires(world)) == 1
    assert len(fires(world)) == 1, "and holds the slot"


@pytest.mark.parametrize("order", itertools.permutations(range(2)))
def test_switched_off_and_on_again(world: World, order: Sequence[int]) -> None:
    """The slot's last holder has ended long ago; what ran without a slot since is found all the same."""
    world.declare(world.trigger(policy=SINGLE))
    ends(world, *several(world, 1))
    world.declare(world.trigger())
    old = several(world, 2)
    world.declare(world.trigger(policy=SINGLE))
    for number in order:
        assert set(fires(world)) <= set(old)
        ends(world, old[number])
    assert len(fires(world)) == 1


@pytest.mark.parametrize("order", itertools.permutations(range(2)))
def test_known_again_by_an_emptied_redis(world: World, order: Sequence[int]) -> None:
    world.declare(world.trigger())
    old = several(world, 2)
    world.ledger.store.client.flushall()
    world.ledger.adopt_epoch()
    world.ctx.begin_epoch()
    world.declare(world.trigger(policy=SINGLE))
    for number in order:
        assert set(fires(world)) <= set(old)
        ends(world, old[number])
    assert len(fires(world)) == 1


def test_the_usual_case_asks_nothing_more(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The holder was the last launch: nobody looks for others."""
    world.declare(world.trigger(policy=SINGLE))
    ends(world, *several(world, 1))
    asked: list[Any] = []
    monkeypatch.setattr("triggers.clearml_api.launches.find_running", lambda *args: asked.append(args))
    assert len(fires(world)) == 1
    assert not asked
