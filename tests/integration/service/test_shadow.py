"""Shadow mode: everything but the launch, and where the original's launches differ."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import triggers.sync.shadow_comparison
from tests.integration.service.conftest import ServiceWorld
from triggers.sync.shadow_report import TITLE, differences


@pytest.fixture
def shadow_world(service_world: ServiceWorld) -> ServiceWorld:
    service_world.ctx.shadow = True
    service_world.scheduler = replace(service_world.scheduler, shadow=True)
    return service_world


def theirs(world: ServiceWorld, source: str, tag: str = "on failure") -> None:
    """A launch as the original makes it."""
    made = world.call("tasks.clone", task=world.base, new_task_parent=world.base, new_task_tags=[tag])["id"]
    source_parameter = {"section": "Args", "name": "source", "value": source}
    world.call("tasks.edit_hyper_params", task=made, hyperparams=[source_parameter])


def source(world: ServiceWorld, **fields: Any) -> Any:
    action = {"parameters": {"Args/source": "${task.id}"}, "tag": "on failure"}
    return world.trigger(action=action, **fields)


@pytest.mark.sandbox_control
def test_nothing_is_launched_and_nothing_written_on_the_server(shadow_world: ServiceWorld) -> None:
    world = shadow_world
    world.declare(
        source(world),
        world.trigger(name="reuse", action={"reuse_task": True}),
        world.trigger(name="elsewhere", action={"target_project": "made by nobody"}),
        world.trigger(name="no base", action={"base_task_id": "0" * 32}),
    )
    world.fail_task()
    world.sandbox.control.requests()
    before = world.sandbox.control.counts()
    world.step()
    after = world.sandbox.control.counts()
    grown = {name for name, number in after.items() if number > before.get(name, 0)}
    assert grown <= {"tasks.get_all", "tasks.get_all_ex", "queues.get_all"}
    assert sorted(entry.trigger for entry in world.history("shadow")) == [
        "task:elsewhere", "task:on failure", "task:reuse",
    ]  # fmt: skip
    assert [entry.trigger for entry in world.history("dead")] == ["task:no base"]
    world.sync()
    assert any("Shadow: would schedule Job on failure" in line for line in world.console())


def test_equal_launches_are_no_difference(shadow_world: ServiceWorld) -> None:
    world = shadow_world
    world.declare(source(world))
    theirs(world, world.fail_task())
    world.step()
    assert differences(world.ctx) == []


def test_each_difference_is_named_with_its_row(shadow_world: ServiceWorld) -> None:
    world = shadow_world
    tags = {"trigger_on_tags": ["a"], "trigger_required_tags": ["b"]}
    world.declare(source(world, **tags))
    only_one_tag = world.fail_task(tags=["a"])
    theirs(world, only_one_tag)
    both = world.fail_task(tags=["a", "b"])
    world.step()
    found = {(one.object, one.side, one.row) for one in differences(world.ctx)}
    assert found == {(only_one_tag, "only the original", "tags"), (both, "only here", "pooling_frequency_minutes")}
    world.sync()
    assert len(world.table(TITLE)) == 2


def test_every_row_that_is_named_is_on_the_page() -> None:
    source = Path(triggers.sync.shadow_comparison.__file__)
    page = (source.parents[2] / "docs" / "differences.md").read_text()
    named = set(re.findall(r'^        "([\w-]+)": ', source.read_text(), re.M)) | {"pooling_frequency_minutes"}
    assert len(named) > 10
    assert [row for row in sorted(named) if f"| {row} |" not in page] == []


def test_a_single_instance_frees_its_slot(shadow_world: ServiceWorld) -> None:
    world = shadow_world
    world.declare(source(world, policy={"single_instance": True}))
    for _ in range(2):
        world.fail_task()
        world.step()
    assert len(world.history("shadow")) == 2
