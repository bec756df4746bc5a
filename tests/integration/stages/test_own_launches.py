"""What a trigger launched never fires it, whenever it is seen; people's copies do, and other triggers'."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from tests.integration.stages.conftest import World
from triggers.base.errors import ServerUnavailable
from triggers.clearml_api import launches
from triggers.stages.match import match


class Killed(BaseException):
    """The process dies here."""


def look(world: World) -> None:
    """Poll and match, as another worker does while a dispatcher stands still."""
    world.poll()
    while world.hints.partitions:
        match(world.ctx, world.hints.partitions.pop())


def come_to_rest(world: World) -> None:
    for _ in range(4):
        world.expire_leases()
        world.reconcile()
        world.tick()
        world.step()


def started(world: World) -> list[str]:
    return [clone["id"] for clone in world.clones() if clone["status"] != "created"]


def in_the_middle(
    monkeypatch: pytest.MonkeyPatch, call: str, *, before: bool, then: Callable[[], None], dies: bool
) -> None:
    """Once, before or after a call of a launch takes effect, something else happens, and perhaps the process dies."""
    real = getattr(launches, call)

    def interrupted(*args: Any) -> Any:
        monkeypatch.setattr(launches, call, real)
        answer = None if before else real(*args)
        then()
        if dies:
            raise Killed
        return real(*args) if before else answer

    monkeypatch.setattr(launches, call, interrupted)


ANY_CHANGE: dict[str, Any] = {"trigger_on_status": [], "trigger_name": "^one of them"}
POINTS = [("clone", False), ("enqueue", True), ("enqueue", False)]


def self_satisfying(world: World, **fields: Any) -> None:
    """A trigger whose own launches satisfy its condition from their first moment."""
    overrides = {"name": "one of them launched"}
    world.declare(world.trigger(**ANY_CHANGE, action={"overrides": overrides}, **fields))


@pytest.mark.parametrize("fire", ["once", "on_transition", "while_true"])
@pytest.mark.parametrize(("call", "before"), POINTS)
@pytest.mark.parametrize("dies", [False, True])
def test_a_launch_seen_before_it_is_recorded_does_not_fire_its_trigger(
    world: World, monkeypatch: pytest.MonkeyPatch, call: str, before: bool, dies: bool, fire: str
) -> None:
    self_satisfying(world, policy={"fire": fire})
    world.create_task("one of them")
    in_the_middle(monkeypatch, call, before=before, then=lambda: look(world), dies=dies)
    try:
        world.step()
    except Killed:
        assert dies
    come_to_rest(world)
    assert len(started(world)) == 1
    assert len(world.history("granted")) == 1
    assert world.ledger.undecided.partitions() == []


def test_others_fire_on_it_at_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    first = world.trigger(**ANY_CHANGE, action={"overrides": {"name": "one of them launched"}})
    other = world.trigger(name="chained", trigger_name="launched$", action={"overrides": {"name": "end of the chain"}})
    world.declare(first, other)
    world.create_task("one of them")
    in_the_middle(monkeypatch, "enqueue", before=True, then=lambda: look(world), dies=False)
    world.step()
    granted = [entry.trigger for entry in world.history("granted")]
    assert granted == [first.id, other.id]


def test_a_copy_made_while_the_launch_is_under_way_fires_once_that_is_known(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    self_satisfying(world)
    world.create_task("one of them")
    copies = []

    def copy() -> None:
        (clone,) = world.clones()
        copies.append(world.call("tasks.clone", task=clone["id"], new_task_name="one of them copied")["id"])
        world.call("tasks.enqueue", task=copies[0])
        look(world)

    in_the_middle(monkeypatch, "enqueue", before=True, then=copy, dies=False)
    world.poll()
    world.settle()
    assert [entry.object for entry in world.history("granted")][1:] == []
    come_to_rest(world)
    assert [entry.object for entry in world.history("granted")][1:] == copies


def test_a_copy_of_an_old_launch_fires(world: World) -> None:
    self_satisfying(world)
    world.create_task("one of them")
    world.step()
    (launched,) = started(world)
    world.tick()
    copy = world.call("tasks.clone", task=launched, new_task_name="one of them copied")["id"]
    world.step()
    assert [entry.object for entry in world.history("granted")][1:] == [copy]


def forget(world: World) -> None:
    """Redis comes back with the triggers and without anything else."""
    client, keys = world.ledger.store.client, world.ledger.keys
    for key in client.scan_iter(f"{keys.prefix}*"):
        if key not in (keys.registry, keys.registry_version):
            client.delete(key)
    world.ctx = world.context()


def test_after_redis_came_back_empty_the_server_says_which_is_the_launch(world: World) -> None:
    world.declare(world.trigger(trigger_on_status=["completed"]))
    seen = world.create_task()
    for step in ("started", "completed"):
        world.call(f"tasks.{step}", task=seen)
    world.tick()
    world.step()
    (launched,) = started(world)
    world.tick()
    copy = world.call("tasks.clone", task=launched)["id"]
    world.call("tasks.enqueue", task=copy)
    forget(world)
    for task in (launched, copy):
        for step in ("started", "completed"):
            world.call(f"tasks.{step}", task=task)
    world.tick()
    world.sandbox.control.fault("error", "tasks.get_all", times=50)
    world.poll()
    while world.hints.partitions:
        match(world.ctx, world.hints.partitions.pop())
    assert {entry.object for entry in world.history("granted")} == {seen}, "nobody can tell yet"
    for _ in range(60):  # the faults are used up one after the other
        world.expire_leases()
        with suppress(ServerUnavailable):
            world.reconcile()
            world.tick()
            world.step()
        if copy in {entry.object for entry in world.history("granted")}:
            break
    assert {entry.object for entry in world.history("granted")} == {seen, copy}


def test_a_base_task_that_is_reused_does_not_fire_its_trigger_between_reset_and_enqueue(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.call("tasks.update_tags", ids=[world.base], add_tags=["watched"])
    world.step()
    world.declare(world.trigger(trigger_on_tags=["watched"], action={"reuse_task": True}))
    world.tick()
    for step in ("started", "completed"):
        world.call(f"tasks.{step}", task=world.base)
    world.call("tasks.update_tags", ids=[world.base], remove_tags=["watched"])
    world.create_task("seen", tags=["watched"])

    def tag() -> None:
        world.call("tasks.update_tags", ids=[world.base], add_tags=["watched"])
        look(world)

    in_the_middle(monkeypatch, "reset_task", before=False, then=tag, dies=False)
    world.step()
    come_to_rest(world)
    assert len(world.history("granted")) == 1


def test_an_ordinary_event_costs_no_request_more(world: World) -> None:
    self_satisfying(world)
    world.create_task("one of them")
    world.step()
    before = world.sandbox.control.counts()
    world.tick()
    world.call("tasks.started", task=started(world)[0])
    world.step()
    after = world.sandbox.control.counts()
    assert after.get("tasks.get_all", 0) == before.get("tasks.get_all", 0)
