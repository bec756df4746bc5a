"""What users reported of the original's `TaskScheduler`, and a switch from it: what has run does not run again."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from tests.integration.stages.conftest import World
from tests.integration.stages.test_schedules import (  # noqa: F401 - fixtures
    HOUR,
    MINUTE,
    Wall,
    launched,
    schedule,
    tick,
    wall,
)
from triggers.client.inheritance import Inheritance, take_over
from triggers.stages import clock as stage
from triggers.sync.originals import read_state
from triggers.sync.sections import read_section

Tick = Callable[[], None]


def test_clearml_1514_executed_at_once_and_then_every_15_minutes(world: World, wall: Wall, tick: Tick) -> None:  # noqa: F811
    """There it fails with "can't subtract offset-naive and offset-aware datetimes"."""
    world.declare(schedule(world, minute=15, execute_immediately=True, policy={"single_instance": False}))
    tick()
    assert launched(world) == ["immediately"]
    for count in (2, 3):
        wall.ms += 15 * MINUTE
        tick()
        assert len(launched(world)) == count


@pytest.mark.sandbox_control
def test_clearml_648_a_limit_does_not_stop_the_scheduler(world: World, wall: Wall, tick: Tick) -> None:  # noqa: F811
    """There times are compared with texts as soon as there is a limit."""
    world.declare(*(schedule(world, name, hour=1, policy={"limit_execution_time": 0.5}) for name in ("a", "b")))
    wall.ms += HOUR
    tick()
    tasks = [clone["id"] for clone in world.clones()]
    assert len(tasks) == 2
    world.reconcile()
    for task in tasks:  # both were launched in the same second
        world.ledger.store.client.zincrby(world.ledger.keys.limits, -1800 * 1000, task)
    world.sandbox.control.clock(offset_seconds=1800)
    world.reconcile()
    assert {clone["status"] for clone in world.clones()} == {"stopped"}
    wall.ms += HOUR
    tick()
    assert len(world.clones()) == 4


def test_clearml_1075_a_task_is_reused_once_it_has_completed(world: World, wall: Wall, tick: Tick) -> None:  # noqa: F811
    """There it is cloned as soon as it has completed."""
    world.declare(schedule(world, minute=5, action={"reuse_task": True}))
    for _ in range(3):
        wall.ms += 5 * MINUTE
        tick()
        assert world.queue_entries() == [world.base]
        world.call("tasks.dequeue", task=world.base)
        world.call("tasks.started", task=world.base, force=True)
        world.call("tasks.completed", task=world.base)
        world.launched_before(world.base, 3600)
    assert world.clones() == []


def test_clearml_1137_a_pipeline_with_a_target_project_leaves_its_own_project_alone(
    world: World,
    wall: Wall,  # noqa: F811
    tick: Tick,  # noqa: F811
) -> None:
    """There the runs of a pipeline landed in the target project itself, and neither showed them as a pipeline's."""
    hidden = world.call("projects.create", name="Chat/.pipelines/chat testing", description="")["id"]
    pipeline = world.create_task("chat testing", type="controller", project=hidden, system_tags=["pipeline"])
    action = {"base_task_id": pipeline, "target_project": "Scheduled"}
    world.declare(schedule(world, day=1, execute_immediately=True, action=action))
    tick()
    wall.at("2026-11-28T00:00:01")
    tick()
    (target,) = world.call("projects.get_all", name=r"^Scheduled/\.pipelines/chat testing$", search_hidden=True)[
        "projects"
    ]
    runs = world.clones()
    assert [(run["project"]["id"], run["type"]) for run in runs] == [(target["id"], "controller")] * 2
    assert all("pipeline" in run["system_tags"] for run in runs)
    left = world.call("tasks.get_all_ex", project=[hidden], search_hidden=True)["tasks"]
    assert [task["id"] for task in left] == [pipeline]
    (kept,) = world.call("projects.get_all", id=[hidden], search_hidden=True)["projects"]
    assert kept["name"] == "Chat/.pipelines/chat testing"


def test_clearml_1211_the_task_is_chosen_when_it_is_due(world: World, wall: Wall, tick: Tick) -> None:  # noqa: F811
    """There the task to clone is fixed when the schedule is declared."""
    query = {"name": "train", "tags": ["best"]}
    world.declare(schedule(world, hour=1, action={"query": query, "base_task_id": None}))
    newest = world.create_task("train", tags=["best"])
    wall.ms += HOUR
    tick()
    for _ in range(2):  # what was launched lies beside it, has its name and its tags, and is newer
        wall.ms += HOUR
        tick()
    assert [clone["parent"] for clone in world.clones()] == [{"id": newest}] * 3
    assert {(clone["name"], *clone["tags"]) for clone in world.clones()} == {("train", "best")}


def test_a_configuration_and_a_state_of_the_original_load_and_nothing_runs_again(
    world: World,
    wall: Wall,  # noqa: F811
    tick: Tick,  # noqa: F811
) -> None:
    common = {"base_task_id": world.base, "queue": "default", "recurring": True, "clone_task": True, "minute": None}
    common |= {"hour": 1, "day": None, "weekdays": None, "month": None, "year": None, "single_instance": False}
    items = [
        {**common, "name": "at once", "starting_time": "1970-01-01T00:00:00+00:00"},
        {**common, "name": "once", "recurring": False, "starting_time": "2026-11-27T06:00:00+00:00"},
        {**common, "name": "hourly", "starting_time": "2026-11-27T05:10:00+00:00"},
    ]
    ran = {"_last_executed": "2026-11-27T08:00:00+00:00", "_executed_instances": [world.base], "_schedule_counter": 1}
    state = {"scheduled_jobs": [{**item, **ran} for item in items], "timeout_jobs": {}, "executed_jobs": []}
    section = read_section("schedule", json.dumps(items), {}, [])
    assert not section.problems
    triggers = list(section.triggers.values())
    left = read_state(json.dumps(state))
    assert set(left) == {trigger.id for trigger in triggers}
    take_over(world.ledger, Inheritance(left=left), triggers)
    since = {id_: one.since_ms for id_, one in left.items()}
    world.ledger.registry.declare(triggers, origin="script", server_now_ms=0, since_ms=since)
    tick()
    assert launched(world) == []
    wall.at("2026-11-27T09:00:01")
    stage.clock(world.ctx)
    world.settle()
    assert launched(world) == ["2026-11-27T09:00:00Z"] * 2, "those that go on"
