"""What is cloned, and what its clone tells: queries answered at each firing, pipelines, provenance."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.integration.stages.conftest import World
from triggers.actions.launching.request import PROVENANCE_DESCRIPTION
from triggers.ledger.firings.firing import firing_key
from triggers.model.events import milliseconds

PIPELINES = {"project": "Speech", "name": "train"}


def project(world: World, name: str) -> str:
    return str(world.call("projects.create", name=name, description="")["id"])


def fire(world: World) -> str:
    task = world.fail_task()
    world.step()
    return task


def parents(world: World) -> list[str]:
    return [clone["parent"]["id"] for clone in world.clones()]


def test_a_query_means_the_newest_run_of_a_pipeline_named_as_the_sdk_names_it(world: World) -> None:
    world.declare(world.trigger(action={"query": PIPELINES, "target_project": "Nightly"}))
    fire(world)
    assert "schedule_task_query" in world.history("dead")[0].reason
    hidden = project(world, "Speech/.pipelines/train")
    run: dict[str, Any] = {"type": "controller", "project": hidden, "system_tags": ["pipeline"]}
    world.create_task("train", **run)
    world.tick()
    newest = world.create_task("train #2", **run)
    world.create_task("train", type="training", project=hidden)  # a step of it
    world.create_task("train #3", **{**run, "system_tags": ["pipeline", "archived"]})
    for _ in range(2):
        fire(world)
    assert parents(world) == [newest] * 2, "a launch is no base task"
    (made,) = world.call("projects.get_all", name=r"^Nightly/\.pipelines/train$", search_hidden=True)["projects"]
    assert {clone["project"]["id"] for clone in world.clones()} == {made["id"]}


def test_a_query_prefers_a_task_of_that_name_in_the_project_itself(world: World) -> None:
    hidden = project(world, "Speech/.pipelines/train")
    plain = world.create_task("train", project=project_id(world, "Speech"))
    world.create_task("train #2", type="controller", project=hidden, system_tags=["pipeline"])
    world.declare(world.trigger(action={"query": PIPELINES}))
    fire(world)
    assert parents(world) == [plain]


def project_id(world: World, name: str) -> str:
    return str(world.call("projects.get_all", name=f"^{name}$")["projects"][0]["id"])


def test_a_query_is_answered_at_each_firing(world: World) -> None:
    world.declare(world.trigger(action={"query": {"tags": ["best"]}}))
    first = world.create_task("first", tags=["best"])
    fire(world)
    second = world.create_task("second", tags=["best", "other"])
    fire(world)
    world.call("tasks.archive_many", ids=[second])
    fire(world)
    assert parents(world) == [first, second, first]


@pytest.mark.sandbox_control
@pytest.mark.parametrize("kind", ["task", "model"])
def test_a_launched_task_tells_where_it_came_from_in_the_clone_call_itself(world: World, kind: str) -> None:
    trigger = world.trigger(kind, name="teller", trigger_on_tags=["a"])
    world.declare(trigger)
    if kind == "task":
        id_ = world.create_task("żółć", tags=["a"])
    else:
        id_ = world.call("models.create", name="żółć", uri="file:///m", tags=["a"])["id"]
    before = world.sandbox.control.counts()
    world.step()
    (clone,) = world.clones()
    section = clone["configuration"]["trigger"]
    told = json.loads(section["value"])
    changed = milliseconds(told.pop("event_time"))
    found = world.call(f"{kind}s.get_by_id", **{kind: id_})[kind]
    assert changed == milliseconds(found["last_change"])
    assert told == {
        "trigger": "teller",
        "kind": kind,
        "object": id_,
        "object_name": "żółć",
        "firing": firing_key(world.ledger.scheduler, trigger.id, id_, 1),
    }
    assert section["description"] == PROVENANCE_DESCRIPTION
    after = world.sandbox.control.counts()
    assert {name for name in after if after[name] != before.get(name, 0) and "edit" in name} == set()


def test_telling_can_be_switched_off_also_for_a_copy_of_a_launch(world: World) -> None:
    world.declare(world.trigger(name="teller"))
    fire(world)
    (told,) = world.clones()
    silent = {"base_task_id": world.call("tasks.clone", task=told["id"], new_task_name="copy")["id"]}
    world.declare(world.trigger(name="silent", action=silent, provenance=False))
    fire(world)
    last = next(clone for clone in world.clones() if clone["parent"]["id"] == silent["base_task_id"])
    assert "trigger" not in last["configuration"]
    assert last["status"] == "queued"


def test_a_reused_task_tells_of_its_last_firing_only(world: World) -> None:
    world.declare(world.trigger(name="again", action={"reuse_task": True}))
    for _ in range(2):
        failed = fire(world)
        base = world.call("tasks.get_by_id", task=world.base)["task"]
        assert json.loads(base["configuration"]["trigger"]["value"])["object"] == failed
        (queue,) = world.call("queues.get_all", name="^default$")["queues"]
        world.call("queues.get_next_task", queue=queue["id"])
        for step in ("started", "completed"):
            world.call(f"tasks.{step}", task=world.base)
    world.declare(world.trigger(name="silent", action={"reuse_task": True}, provenance=False))
    fire(world)
    assert "trigger" not in world.call("tasks.get_by_id", task=world.base)["task"]["configuration"]
