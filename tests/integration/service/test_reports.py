"""What the service task shows: tables, plots and console lines, by few requests."""

from __future__ import annotations

import pytest

from tests.integration.service.conftest import ServiceWorld
from triggers.sync import tell


@pytest.fixture
def eager(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tell, "LOOK_SECONDS", 0.0)


def test_tables_have_the_originals_columns_and_links(service_world: ServiceWorld, eager: None) -> None:
    world = service_world
    world.declare(world.trigger(), world.trigger("model", "models", trigger_on_tags=["prod"]))
    failed = world.fail_task()
    world.step()
    world.sync()
    plot = world.plots("Model Triggers")[-1]["data"][0]
    assert plot["header"]["values"] == [
        "name", "base_task_id", "base_function", "queue", "target_project", "single_instance", "task_parameters",
        "task_overrides", "clone_task", "project", "match_name", "tags", "required_tags", "add_tag", "last_update",
        "on_publish", "on_archive",
    ]  # fmt: skip
    (row,) = world.table("Task Triggers")
    assert row[0] == "on failure"
    assert row[1] == f'<a href="http://web/projects/*/tasks/{world.base}/output/log">{world.base}</a>'
    (launched,) = world.clones()
    (row,) = world.table("Triggers Executed")
    link = f'<a href="http://web/projects/*/tasks/{launched["id"]}/output/log">{launched["id"]}</a>'
    assert row[:3] == ["TaskTrigger", "on failure", link]
    assert row[4] == "None"
    assert f"Scheduling Job on failure, Task {launched['id']} on queue default." in world.console()
    world.call("tasks.started", task=launched["id"])
    world.call("tasks.completed", task=launched["id"])
    world.sync()
    (row,) = world.table("Triggers Executed")
    assert row[4].startswith("20")
    assert failed not in row[2]
    for title in ("Firings over time", "Seconds from change to launch"):
        assert world.plots(title)[-1]["data"][0]["name"] == "task:on failure"


def test_requests_do_not_grow_with_open_launches(service_world: ServiceWorld, eager: None) -> None:
    world = service_world
    world.declare(world.trigger())
    world.sync()
    counts = []
    for number in (3, 150):
        for _ in range(number):
            world.fail_task()
        world.step()
        before = sum(world.sandbox.control.counts().values())
        world.sync()
        world.sync()
        counts.append(sum(world.sandbox.control.counts().values()) - before)
    assert counts[0] == counts[1] <= 8
    assert len(world.table("Triggers Executed")) == 100
    assert sum("Scheduling Job" in line for line in world.console()) == 153


def test_nothing_is_sent_when_nothing_has_changed(service_world: ServiceWorld) -> None:
    world = service_world
    world.declare(world.trigger())
    world.fail_task()
    world.step()
    world.sync()
    plots, lines = len(world.plots("Task Triggers")), len(world.console())
    for _ in range(3):
        assert world.sync().reports == 0
    assert (len(world.plots("Task Triggers")), len(world.console())) == (plots, lines)


def test_skips_and_dead_letters_are_told(service_world: ServiceWorld) -> None:
    world = service_world
    world.declare(
        world.trigger(policy={"single_instance": True}),
        world.trigger(name="gone", action={"base_task_id": "0" * 32}),
    )
    world.fail_task()
    world.step()
    world.fail_task()
    world.step()
    world.sync()
    running = next(iter(world.clones()))["id"]
    assert f"Skipping Task on failure scheduling, previous Task instance {running} still running" in world.console()
    assert any("Skipping Task gone scheduling for good" in line for line in world.console())
