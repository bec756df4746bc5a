"""The configuration sections and the registry: three writers, and what each of them leaves alone."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from tests.integration.service.conftest import ServiceWorld

RUNNING = "task:on failure"


def test_sections_hold_the_triggers_in_the_originals_form(service_world: ServiceWorld) -> None:
    world = service_world
    world.declare(world.trigger(), world.trigger("model", "models", trigger_project="P"))
    assert world.sync().sections == 3
    (item,) = world.section("task")
    assert item["base_task_id"] == world.base
    assert item["on_status"] == ["failed"]
    assert item["clone_task"] is True
    assert world.section("dataset") == []
    assert world.sync() == world.sync()


def test_the_section_of_schedules_is_there_only_where_there_are_any(service_world: ServiceWorld) -> None:
    world = service_world
    world.declare(world.trigger())
    world.sync()
    assert "schedule" not in world.task()["configuration"]
    world.declare(world.trigger(), world.trigger("schedule", "nightly", hour=1))
    assert world.sync().sections == 1
    (item,) = json.loads(world.task()["configuration"]["schedule"]["value"])
    assert (item["name"], item["hour"]) == ("nightly", 1)
    world.declare(world.trigger())
    world.sync()
    assert json.loads(world.task()["configuration"]["schedule"]["value"]) == [], "what an earlier release always wrote"
    assert world.sync().edits == 0


@pytest.mark.parametrize("ended", [False, True])
def test_a_change_an_addition_and_a_removal_in_clearml_are_taken_over(service_world: ServiceWorld, ended: bool) -> None:
    world = service_world
    world.declare(world.trigger(), world.trigger(name="to go"))
    if ended:
        world.call("tasks.completed", task=world.service)
    world.sync()
    first, _ = world.section("task")
    items = [first | {"on_status": ["completed"]}, first | {"name": "added", "tags": ["new"]}]
    if ended:
        configuration = world.task()["configuration"]
        configuration["tasks"]["value"] = json.dumps(items)
        world.call("tasks.edit", task=world.service, configuration=configuration, force=True)
    else:
        world.edit_section("task", items)
    assert world.sync().edits == 3
    assert world.names() == {RUNNING, "task:added"}
    assert world.registered(RUNNING).trigger_on_status == ("completed",)
    assert sum("was changed or added" in line for line in world.console()) == 2
    assert sum("was removed" in line for line in world.console()) == 1
    done = world.create_task("done")
    world.call("tasks.started", task=done)
    world.call("tasks.completed", task=done)
    world.step()
    assert sum(world.runs().values()) == 1  # "added" wants a tag


def test_an_invalid_edit_changes_nothing_and_is_reported_once(service_world: ServiceWorld) -> None:
    world = service_world
    world.declare(world.trigger())
    world.sync()
    (item,) = world.section("task")
    world.edit_section("task", [item | {"on_status": ["faild"]}, item | {"name": "fine"}])
    for _ in range(3):
        assert world.sync().edits == 0
    assert world.registered(RUNNING).trigger_on_status == ("failed",)
    said = [line for line in world.console() if "faild" in line]
    assert len(said) == 1
    assert "section 'tasks', entry 'on failure': on_status=['faild']" in said[0]
    assert world.section("task")[0]["on_status"] == ["faild"], "what a person has typed stays"
    world.edit_section("task", [item, item | {"name": "fine"}])
    assert world.sync().edits == 1
    assert "the configuration sections are valid again and in use" in world.console()


def test_what_the_script_changes_is_written_and_edits_beside_it_stay(service_world: ServiceWorld) -> None:
    world = service_world
    script = [world.trigger(), world.trigger(name="other")]
    world.declare(*script)
    world.sync()
    items = world.section("task")
    edited = [item | {"tags": ["edited"]} if item["name"] == "other" else item for item in items]
    world.edit_section("task", edited)
    world.declare(world.trigger(trigger_on_status=["stopped"]), script[1])
    world.sync()
    found = {item["name"]: item for item in world.section("task")}
    assert found["on failure"]["on_status"] == ["stopped"]
    assert found["other"]["tags"] == ["edited"]
    assert world.registered("task:other").trigger_on_tags == ("edited",)


def test_of_two_edits_of_one_trigger_that_in_clearml_wins_and_the_log_says_so(service_world: ServiceWorld) -> None:
    world = service_world
    world.declare(world.trigger())
    world.sync()
    (item,) = world.section("task")
    world.edit_section("task", [item | {"tags": ["person"]}])
    world.declare(world.trigger(trigger_on_status=["stopped"]))
    world.sync()
    assert world.registered(RUNNING).trigger_on_tags == ("person",)
    assert world.registered(RUNNING).trigger_on_status == ("failed",)
    assert any("are discarded" in line for line in world.console())


def test_an_unchanged_script_does_not_undo_what_a_person_did(service_world: ServiceWorld) -> None:
    world = service_world
    script = [world.trigger(), world.trigger(name="other")]
    world.declare(*script)
    world.sync()
    first = next(item for item in world.section("task") if item["name"] == "on failure")
    world.edit_section("task", [first | {"tags": ["person"]}])
    world.sync()
    world.declare(*script)  # the process starts again
    assert world.names() == {RUNNING}
    assert world.registered(RUNNING).trigger_on_tags == ("person",)
    world.declare(world.trigger(trigger_on_status=["stopped"]), script[1])  # the script is changed
    assert world.registered(RUNNING).trigger_on_status == ("stopped",)
    world.declare()
    assert world.names() == set()


def test_a_deleted_service_task_stops_no_trigger(service_world: ServiceWorld) -> None:
    world = service_world
    world.declare(world.trigger())
    world.sync()
    world.call("tasks.delete", task=world.service, force=True)
    world.sync()
    assert "service task" in world.ledger.history.alarms()
    world.fail_task()
    world.step()
    assert sum(world.runs().values()) == 1


@pytest.mark.sandbox_control
def test_a_turn_with_nothing_to_do_costs_no_request(service_world: ServiceWorld) -> None:
    world = service_world
    world.declare(*[world.trigger(name=f"t{number}") for number in range(50)])
    world.scheduler = replace(world.scheduler, sync_seconds=900.0)
    world.sync()
    before = sum(world.sandbox.control.counts().values())
    world.sync()
    assert sum(world.sandbox.control.counts().values()) == before


@pytest.mark.parametrize(
    ("mode", "edit", "counts"),
    [
        ("all", {"queue": "other"}, True),
        ("conditions", {"queue": "other"}, False),
        ("conditions", {"task_overrides": {"container.setup_shell_script": "x"}}, False),
        ("conditions", {"max_per_minute": 0}, False),
        ("conditions", {"on_status": ["completed"]}, True),
        ("conditions", {"name": "added"}, False),
        ("none", {"on_status": ["completed"]}, False),
    ],
)
def test_edits_count_as_far_as_the_setting_allows(
    service_world: ServiceWorld, mode: str, edit: dict[str, object], counts: bool
) -> None:
    world = service_world
    world.ctx = world.context(sections=mode)
    world.declare(world.trigger())
    world.sync()
    (item,) = before = world.section("task")
    world.edit_section("task", [item, item | edit] if "name" in edit else [item | edit])
    done = world.sync()
    assert bool(done.edits) == counts
    assert (world.section("task") == before) != counts, "what does not count is written back"
    told = [line for line in world.console() if f"TRIGGERS_SECTIONS={mode}" in line]
    assert len(told) == (0 if counts else 1)
    world.sync()
    assert [line for line in world.console() if f"TRIGGERS_SECTIONS={mode}" in line] == told, "once"


@pytest.mark.parametrize("mode", ["conditions", "none"])
def test_a_removal_does_not_count_either(service_world: ServiceWorld, mode: str) -> None:
    world = service_world
    world.ctx = world.context(sections=mode)
    world.declare(world.trigger())
    world.sync()
    world.edit_section("task", [])
    assert world.sync().edits == 0
    assert world.names() == {RUNNING}
    assert len(world.section("task")) == 1


@pytest.mark.parametrize(("mode", "queue", "status"), [("all", "other", "completed"), ("none", "default", "failed")])
def test_what_an_agents_start_reads_of_sections_follows_the_setting(
    service_world: ServiceWorld, mode: str, queue: str, status: str
) -> None:
    from triggers.sync.configure import allowed_stored
    from triggers.sync.sections import write_section

    trigger = service_world.trigger()
    edited = service_world.trigger(action={"queue": "other"}, trigger_on_status=["completed"])
    (found,), _, _ = allowed_stored(mode, {"tasks": write_section([edited], {})}, [trigger])  # type: ignore[arg-type]
    assert (found.action.queue, found.trigger_on_status) == (queue, (status,))  # type: ignore[union-attr]
    waits = service_world.trigger(trigger_on_status=["completed"])
    (found,), problems, _ = allowed_stored("conditions", {"tasks": write_section([waits], {})}, [trigger])
    assert (found.trigger_on_status, problems) == (("completed",), [])  # type: ignore[union-attr]
    (found,), problems, _ = allowed_stored("conditions", {"tasks": write_section([edited], {})}, [trigger])
    assert (found, len(problems)) == (trigger, 1)
