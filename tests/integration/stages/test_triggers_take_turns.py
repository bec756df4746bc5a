"""A flood of one trigger lets the firings of others in between: launches and functions."""

from __future__ import annotations

from typing import Any

from tests.integration.stages.calling import call_one
from tests.integration.stages.conftest import World
from tests.property.ledger.lining import in_ring
from triggers.model import Trigger, make_trigger
from triggers.stages.dispatch import dispatch

FLOOD = 6


def flooded(world: World, flood: Trigger, *others: Trigger) -> None:
    """Many firings of one trigger, and then one of each other, all of them due."""
    world.declare(flood, *others)
    for number in range(FLOOD):
        world.fail_task(name=f"{flood.name} {number}")
    world.poll()
    world.match()
    for other in others:
        world.fail_task(name=other.name)
    world.poll()
    world.match()


def triggers(world: World, **fields: Any) -> list[Trigger]:
    """As many as take turns, the one first whose turn comes first: it has no advantage by that."""
    fields = {
        "trigger_on_status": ["failed"],
        "action": {"type": "task", "base_task_id": world.base, "queue": "default"},
    } | fields
    return [make_trigger("task", name=one.name, trigger_name=f"^{one.name}", **fields) for one in in_ring(world.ledger)]


def order(world: World) -> list[str]:
    return [entry.trigger for entry in world.history("launched")]


def test_single_launches_are_not_held_up_by_a_flood(world: World) -> None:
    flood, *others = triggers(world)
    flooded(world, flood, *others)
    assert dispatch(world.context(batch_firings=3)) == FLOOD + len(others)
    assert sorted(order(world)[:3]) == sorted(one.id for one in (flood, *others))
    assert order(world)[3:] == [flood.id] * (FLOOD - 1)


def test_single_calls_of_functions_are_not_held_up_by_a_flood(world: World) -> None:
    flood, *others = triggers(world, action={"type": "function", "name": "f"})
    flooded(world, flood, *others)
    called = {one.id: lambda *_: None for one in (flood, *others)}
    for _ in range(3):
        assert call_one(world.ctx, called)
    assert sorted(order(world)) == sorted(one.id for one in (flood, *others))


def test_launches_of_a_trigger_keep_the_order_of_their_grants(world: World) -> None:
    flood, *others = triggers(world)
    flooded(world, flood, *others)
    granted = [entry.object for entry in world.history("granted") if entry.trigger == flood.id]
    dispatch(world.context(batch_firings=2))
    assert [entry.object for entry in world.history("launched") if entry.trigger == flood.id] == granted
