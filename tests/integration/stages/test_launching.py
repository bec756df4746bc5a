"""From a change on the server to the launched ClearML task, stage by stage, one rule a test."""

from __future__ import annotations

import pytest

from tests.integration.stages.conftest import World


def test_a_failed_task_launches_a_clone_with_everything_it_should_carry(world: World) -> None:
    world.declare(world.trigger(action={"tag": "on failure", "parameters": {"Args/source": "${task.id}", "Args/b": 2}}))
    failed = world.fail_task()
    world.step()
    (clone,) = world.clones()
    assert clone["status"] == "queued"
    assert world.queue_entries() == [clone["id"]]
    assert clone["tags"] == ["on failure"]
    assert {n: p["value"] for n, p in clone["hyperparams"]["Args"].items()} == {"a": "1", "b": "2", "source": failed}
    assert clone["parent"]["id"] == world.base
    assert len([t for t in clone["system_tags"] if t.startswith("clearml-triggers:")]) == 3


def test_what_changed_before_registration_does_not_fire(world: World) -> None:
    world.fail_task()
    world.tick()
    world.declare(world.trigger())
    world.step()
    assert world.clones() == []


def test_an_object_fires_once_however_often_it_changes_and_is_read(world: World) -> None:
    world.declare(world.trigger())
    failed = world.fail_task()
    for _ in range(3):
        world.step()
        world.call("tasks.update_tags", ids=[failed], add_tags=["again"])
    world.step()
    assert list(world.runs().values()) == [1]


def test_a_restarted_worker_remembers_what_fired_and_sees_what_happened_meanwhile(world: World) -> None:
    world.declare(world.trigger())
    world.fail_task()
    world.step()
    world.fail_task()
    restarted = world.context()
    world.declare(world.trigger())
    world.step(restarted)
    assert sorted(world.runs().values()) == [1, 1]


@pytest.mark.sandbox_control
@pytest.mark.parametrize(
    ("action", "edits"),
    [
        ({"parameters": {"Args/source": "${task.id}"}, "tag": "t"}, {}),
        ({"overrides": {"script.branch": "main"}}, {"tasks.edit": 10}),
    ],
    ids=["parameters and tag", "an override that needs an edit"],
)
def test_two_requests_a_launch_three_with_an_edit_and_one_read_a_batch(
    world: World, action: dict[str, object], edits: dict[str, int]
) -> None:
    world.declare(world.trigger(action=action))
    world.step()
    for _ in range(10):
        world.fail_task()
    world.poll()
    before = world.sandbox.control.counts()
    world.settle()
    after = world.sandbox.control.counts()
    made = {name: after[name] - before.get(name, 0) for name in after if after[name] != before.get(name, 0)}
    assert made.pop("queues.get_all", 0) <= 1, "the queue's id is remembered"
    assert made.pop("tasks.get_all") <= 2, "base tasks, and the look that a new epoch asks for"
    assert made == {"tasks.clone": 10, "tasks.enqueue_many": 1} | edits
