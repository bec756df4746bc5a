"""`reuse_task` beside other schedulers and on reads that lag: one run counts as one."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from tests.integration.stages.conftest import Hints, World
from triggers.clearml_api import launches
from triggers.ledger import Store, open_ledger
from triggers.stages.dispatch import dispatch
from triggers.stages.match import match


def second(world: World) -> World:
    """Another scheduler on the same server."""
    ledger = open_ledger(Store(world.ledger.store.client), "another-scheduler", world.settings)
    ledger.adopt_epoch(nothing_launched_before=True)
    other = object.__new__(World)
    other.__dict__.update(world.__dict__)
    other.ledger, other.hints = ledger, Hints()
    other.ctx = other.context()
    return other


@pytest.mark.parametrize("call", ["reset_task", "edit_draft"])
def test_two_schedulers_that_reuse_one_task_say_as_many_launches_as_there_are(
    world: World, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    other = second(world)
    for step in ("started", "completed"):
        world.call(f"tasks.{step}", task=world.base)
    world.tick()
    for one in (world, other):
        one.declare(one.trigger(action={"reuse_task": True}))
    world.tick()
    world.fail_task()
    for one in (world, other):
        one.poll()
        while one.hints.partitions:
            match(one.ctx, one.hints.partitions.pop())
    real = getattr(launches, call)

    def overtaken(*args: Any) -> None:
        monkeypatch.setattr(launches, call, real)
        real(*args)
        dispatch(other.ctx)

    monkeypatch.setattr(launches, call, overtaken)
    world.settle()
    for one in (world, other):
        one.expire_leases()
        one.reconcile()
    said = sum(len(one.history("launched")) for one in (world, other))
    asked = world.sandbox.control.requests()
    accepted = [one for one in asked if one["endpoint"].startswith("tasks.enqueue") and one["status"] == 200]
    assert said == len(accepted) == 1


@pytest.mark.parametrize("before", ["created", "completed"])
def test_a_read_from_before_the_last_run_resets_nothing(world: World, before: str) -> None:
    world.declare(world.trigger(action={"reuse_task": True}))
    if before == "completed":
        for step in ("started", "completed"):
            world.call(f"tasks.{step}", task=world.base)
    world.tick()
    old = world.call("tasks.get_by_id", task=world.base)["task"]
    world.fail_task()
    world.step()
    assert world.queue_entries() == [world.base]
    world.fail_task()
    real = world.api.call

    def lagging(endpoint: str, body: Any) -> Any:
        answer = real(endpoint, body)
        for one in answer.data.get("tasks", ()) if endpoint == "tasks.get_all" else ():
            if one["id"] == world.base:
                one.update({name: copy.deepcopy(old[name]) for name in one if name in old})
        return answer

    world.api.call = lagging  # type: ignore[method-assign]
    world.tick()
    world.step()
    world.api.call = real  # type: ignore[method-assign]
    for _ in range(3):
        world.expire_leases()
        world.reconcile()
    assert world.queue_entries() == [world.base]
    assert len(world.history("launched")) == 1
    assert world.history("dead") == []
