"""A slot is given back by whatever ends, holds or moves the firing that took it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.integration.stages.conftest import World
from triggers.model import Trigger

SINGLE = {"single_instance": True}


def fail_at_first(world: World, trigger: Trigger) -> None:
    """The slot is taken, then the server is away for a moment; the retry finds the trigger as `then` leaves it."""
    world.declare(trigger)
    world.sandbox.control.fault("error", "tasks.clone", times=1)
    world.fail_task()
    world.step()
    assert world.clones() == []


def come_up(world: World) -> None:
    world.expire_leases()
    world.reconcile()


def skip_missed(world: World, trigger: Trigger) -> None:
    world.pause(trigger)
    come_up(world)
    world.ledger.by_hand.skip_waiting(trigger.id, "resume --skip-missed")
    world.pause(trigger, False)


def skip_at_once(world: World, trigger: Trigger) -> None:
    world.ledger.by_hand.skip_waiting(trigger.id, "resume --skip-missed")


def drop(world: World, trigger: Trigger) -> None:
    world.pause(trigger)
    come_up(world)
    (held,) = world.ledger.operations.held(f"pause:{trigger.id}")
    world.ledger.operations.drop_held(f"pause:{trigger.id}", [held.key], "me")
    world.pause(trigger, False)


def retire(world: World, trigger: Trigger) -> None:
    world.declare()
    come_up(world)
    world.declare(trigger)


def delete(world: World, trigger: Trigger) -> None:
    world.ledger.registry.edit(lambda *_: {trigger.id: None})
    come_up(world)
    world.declare(trigger)


def edit_the_action(world: World, trigger: Trigger) -> None:
    world.declare(world.trigger(action={"reuse_task": True}))
    come_up(world)
    world.call("tasks.started", task=world.base)
    world.call("tasks.completed", task=world.base)
    world.declare(trigger)


def edit_off_and_on(world: World, trigger: Trigger) -> None:
    world.declare(world.trigger())
    come_up(world)
    for clone in world.clones():
        for step in ("started", "completed"):
            world.call(f"tasks.{step}", task=clone["id"])
    world.declare(trigger)


WAYS: list[Callable[[World, Trigger], None]] = [
    skip_missed,
    skip_at_once,
    drop,
    retire,
    delete,
    edit_the_action,
    edit_off_and_on,
]


@pytest.mark.parametrize("overlap", ["skip", "queue", "latest"])
@pytest.mark.parametrize("end", WAYS)
def test_the_next_change_is_launched_however_the_first_firing_ended(
    world: World, end: Callable[[World, Trigger], None], overlap: str
) -> None:
    trigger = world.trigger(policy=SINGLE | {"overlap": overlap})
    fail_at_first(world, trigger)
    end(world, trigger)
    before = len([clone for clone in world.clones() if clone["status"] != "created"])
    world.tick()
    world.fail_task()
    world.step()
    assert len([clone for clone in world.clones() if clone["status"] != "created"]) == before + 1


def test_a_retry_that_is_paused_does_not_keep_another_trigger_from_the_reused_task(world: World) -> None:
    first = world.trigger(name="A", action={"reuse_task": True})
    second = world.trigger(name="B", action={"reuse_task": True}, trigger_on_status=["stopped"])
    world.declare(first, second)
    world.sandbox.control.fault("error", "tasks.edit", times=1)
    world.fail_task()
    world.step()
    world.pause(first)
    come_up(world)
    task = world.create_task()
    world.call("tasks.started", task=task)
    world.call("tasks.stopped", task=task)
    world.step()
    assert world.queue_entries() == [world.base]
    assert [entry.trigger for entry in world.history("launched")] == [second.id]


def test_what_waits_for_a_slot_goes_on_when_its_trigger_needs_none_any_more(world: World) -> None:
    world.declare(world.trigger(policy=SINGLE | {"overlap": "queue"}))
    for _ in range(3):
        world.fail_task()
    world.step()
    assert len(world.history("launched")) == 1
    world.declare(world.trigger())
    world.reconcile()
    assert len(world.history("launched")) == 3


def test_a_slot_that_an_earlier_release_leaked_heals(world: World) -> None:
    trigger = world.trigger(policy=SINGLE)
    world.declare(trigger)
    world.ledger.store.client.hset(world.ledger.keys.slots, trigger.slot, "0123456789abcdef ")
    world.fail_task()
    world.step()
    assert len(world.history("launched")) == 1
