"""A person's base task is never deleted: not by its marks, not after its trigger was edited, retired or deleted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.integration.stages.conftest import World
from triggers.actions.launching import drafts
from triggers.clearml_api import launches
from triggers.ledger.firings.firings import STRAY_LOOK_MS
from triggers.model import Trigger, make_trigger
from triggers.model.launch_tags import ATTEMPT, REUSED, value_of
from triggers.stages.dispatch import dispatch


class Killed(BaseException):
    """The dispatcher dies here."""


#: What a person does to the trigger whose base task was prepared and not run.
EDITS: dict[str, Callable[[World, Trigger], None]] = {
    "clones it": lambda world, _: world.declare(world.trigger()),
    "clones another": lambda world, _: world.declare(
        world.trigger(action={"base_task_id": world.create_task("other")})
    ),
    "calls a function": lambda world, _: world.declare(calling(world)),
    "retired": lambda world, _: world.declare(),
    "deleted": lambda world, trigger: delete(world, trigger),
    "deleted and declared again": lambda world, trigger: [delete(world, trigger), world.declare(world.trigger())][1],
}


def cloning_another(world: World) -> Trigger:
    return world.trigger(action={"base_task_id": world.create_task("other")})


def calling(world: World) -> Trigger:
    action = {"type": "function", "name": "abs", "reference": "builtins:abs"}
    return make_trigger("task", name="on failure", action=action, trigger_on_status=["failed"])


def delete(world: World, trigger: Trigger) -> None:
    world.ledger.registry.edit(lambda *_: {trigger.id: None})


def as_an_earlier_release_left_it(world: World, monkeypatch: pytest.MonkeyPatch, dies_at: str) -> Trigger:
    """A dispatcher of a release without the mark "reused", and without the memory of base tasks, died at a call.

    The base task is itself a copy of another: it has a parent, as clones have.
    """
    world.base = world.call("tasks.clone", task=world.base, new_task_name="base")["id"]
    trigger = world.trigger(action={"reuse_task": True})
    world.declare(trigger)
    world.tick()
    world.fail_task()
    world.poll()
    edit_draft = launches.edit_draft

    def edit(api: Any, task_id: str, edit: dict[str, Any]) -> None:
        tags = [tag for tag in edit["system_tags"] if tag != REUSED]
        edit_draft(api, task_id, {**edit, "system_tags": tags})
        if dies_at == "edit":
            raise Killed

    def enqueue(*_: Any) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(launches, "edit_draft", edit)
        patch.setattr(launches, "enqueue", enqueue)
        with pytest.raises(Killed):
            world.settle()
    world.ledger.store.client.delete(world.ledger.keys.base_tasks)
    assert value_of(ATTEMPT, world.call("tasks.get_by_id", task=world.base)["task"]["system_tags"])
    return trigger


@pytest.mark.parametrize("keeps_slot", [True, False])
@pytest.mark.parametrize("dies_at", ["edit", "enqueue"])
@pytest.mark.parametrize("edit", EDITS)
def test_a_base_task_prepared_by_an_earlier_release_stays(
    world: World, monkeypatch: pytest.MonkeyPatch, edit: str, dies_at: str, keeps_slot: bool
) -> None:
    trigger = as_an_earlier_release_left_it(world, monkeypatch, dies_at)
    client, keys = world.ledger.store.client, world.ledger.keys
    if not keeps_slot:  # a release before firings kept the slot that they took
        client.delete(keys.slots)
        for name in client.scan_iter(keys.firing("*").replace("{", "?").replace("}", "?")):
            client.hdel(name, "slot")
    EDITS[edit](world, trigger)
    for _ in range(4):
        world.expire_leases()
        dispatch(world.ctx)
        for key in client.zrange(keys.strays, 0, -1):
            client.zincrby(keys.strays, -2 * STRAY_LOOK_MS, key)
        world.reconcile()
    assert world.call("tasks.get_all", id=[world.base], only_fields=["id"])["tasks"] == [{"id": world.base}]
    asked = world.sandbox.control.requests()
    assert world.base not in [one["body"].get("task") for one in asked if one["endpoint"] == "tasks.delete"]


@pytest.mark.parametrize("how", ["declared", "edited", "retired", "deleted", "unreadable", "run itself"])
def test_what_is_or_was_a_base_task_is_not_deleted_whoever_asks(world: World, how: str) -> None:
    """Every other task is: by the one function that deletes, so that no caller has to think of it."""
    trigger = world.trigger()
    world.declare(trigger)
    registry, client, keys = world.ledger.registry, world.ledger.store.client, world.ledger.keys
    match how:
        case "edited":
            world.declare(cloning_another(world))
        case "retired":
            client.delete(keys.base_tasks)
            world.declare()
        case "deleted":
            client.delete(keys.base_tasks)  # it was declared under an earlier release
            delete(world, trigger)
        case "unreadable":
            client.delete(keys.base_tasks)
            text = client.hget(keys.registry, trigger.id)
            client.hset(keys.registry, trigger.id, text.replace('"v": ', '"v": 99'))
            client.incr(keys.registry_version)
            assert registry.snapshot().unreadable
        case "run itself":  # by a trigger that an earlier release deleted
            client.delete(keys.base_tasks, keys.registry)
            client.hset(keys.slots, f"task:{world.base}", "key of a firing")
            client.incr(keys.registry_version)
    assert drafts.delete(world.ctx, world.base) == "kept"
    assert drafts.delete(world.ctx, world.create_task("another")) == "gone"


def test_a_draft_without_a_parent_was_cloned_by_nobody(world: World) -> None:
    """Whatever marks it carries, and even where no base task of that id is remembered."""
    mark = "clearml-triggers:firing:key"
    marks = [mark, f"{ATTEMPT}nonce"]
    made = world.create_task("made", system_tags=marks)
    cloned = world.call("tasks.clone", task=world.base, new_task_name="cloned", new_task_system_tags=marks)["id"]
    found = {one.id: one.cloned_by for one in launches.find_launches(world.api, [mark])}
    assert found == {made: "", cloned: "nonce"}


def test_the_base_task_of_a_trigger_is_remembered_with_its_pause(world: World) -> None:
    """An edit of anything remembers it too."""
    trigger = world.trigger()
    world.declare(trigger)
    client, keys = world.ledger.store.client, world.ledger.keys
    client.delete(keys.base_tasks)
    world.ledger.registry.edit(lambda known, _: {trigger.id: replace(known.entries[trigger.id], paused=True)})
    assert client.smembers(keys.base_tasks) == {world.base}
