"""When a firing is launched: single instance, overlap, pace, pause, retirement, reuse."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.stages.conftest import World
from triggers.clearml_api import launches
from triggers.ledger.firings.firings import SLOT_PAUSE_SECONDS


def end(world: World, task: str, how: str = "tasks.completed") -> None:
    world.call("tasks.started", task=task)
    world.call(how, task=task)


@pytest.mark.parametrize("how", ["tasks.completed", "tasks.failed", "tasks.stopped", "deleted"])
def test_single_instance_skips_while_its_task_runs_and_goes_on_when_it_ended(world: World, how: str) -> None:
    world.declare(world.trigger(policy={"single_instance": True}))
    world.fail_task()
    world.step()
    (running,) = world.clones()
    skipped = world.fail_task()
    world.step()
    assert len(world.clones()) == 1
    (skip,) = world.history("skipped")
    assert (skip.object, skip.task) == (skipped, running["id"])
    if how == "deleted":
        world.call("tasks.delete", task=running["id"], force=True)
        world.launched_before(running["id"], 2 * world.settings.overlap_seconds)
    else:
        end(world, running["id"], how)
    world.step()
    world.call("tasks.update_tags", ids=[skipped], add_tags=["changed again"])
    world.step()
    assert [c["hyperparams"]["Args"]["a"]["value"] for c in world.clones() if c["id"] != running["id"]] == ["1"]


@pytest.mark.sandbox_control
def test_a_launch_that_is_not_visible_yet_keeps_its_slot(world: World) -> None:
    world.declare(world.trigger(policy={"single_instance": True}))
    world.fail_task()
    world.poll()
    world.sandbox.control.late(600)
    world.settle()
    world.sandbox.control.late(0)
    assert len(world.history("launched")) == 1
    assert world.clones() == []
    world.fail_task()
    world.step()
    assert [entry.what for entry in world.history()] == ["granted", "launched", "granted"], "it is not decided yet"
    (first,) = world.history("launched")
    world.launched_before(first.task, 2 * world.settings.overlap_seconds)  # deleted, as it seems now
    world.expire_leases()
    world.reconcile()
    assert len(world.history("launched")) == 2


def test_a_launched_task_that_a_person_enqueues_again_blocks_the_next(world: World) -> None:
    world.declare(world.trigger(policy={"single_instance": True}))
    world.fail_task()
    world.step()
    (first,) = world.clones()
    world.call(
        "queues.remove_task", queue=world.call("queues.get_all", name="^default$")["queues"][0]["id"], task=first["id"]
    )
    end(world, first["id"], "tasks.stopped")
    world.call("tasks.enqueue", task=first["id"])
    world.fail_task()
    world.step()
    assert len(world.clones()) == 1


def test_overlap_queue_launches_all_one_after_the_other(world: World) -> None:
    world.declare(world.trigger(policy={"single_instance": True, "overlap": "queue"}))
    failed = [world.fail_task() for _ in range(3)]
    world.step()
    ended: set[str] = set()
    for count in (1, 2, 3):
        clones = world.clones()
        assert len(clones) == count
        (running,) = [c["id"] for c in clones if c["id"] not in ended]
        world.reconcile()
        assert len(world.clones()) == count, "nothing goes on while it runs"
        end(world, running)
        ended.add(running)
        world.reconcile()
    assert len(failed) == len(world.history("launched"))


def test_overlap_latest_keeps_only_the_newest_held(world: World) -> None:
    world.declare(
        world.trigger(
            policy={"single_instance": True, "overlap": "latest"}, action={"parameters": {"Args/of": "${task.id}"}}
        )
    )
    failed = []
    for _ in range(4):
        failed.append(world.fail_task())
        world.step()
    (running,) = world.clones()
    end(world, running["id"])
    world.reconcile()
    assert [c["hyperparams"]["Args"]["of"]["value"] for c in world.clones()] == [failed[0], failed[3]]
    assert {entry.object for entry in world.history("skipped")} == {failed[1], failed[2]}


def test_pace_holds_the_rest_in_order_and_lets_it_go_in_the_next_minute(world: World) -> None:
    trigger = world.trigger(policy={"max_per_minute": 2}, action={"parameters": {"Args/of": "${task.id}"}})
    world.declare(trigger)
    failed = [world.fail_task() for _ in range(5)]
    world.step()
    assert len(world.clones()) == 2
    assert world.ledger.firings.holds() == [f"pace:{trigger.id}"]
    world.reconcile()
    assert len(world.clones()) == 2
    for _ in range(2):
        world.ledger.store.client.hset(world.ledger.keys.pace(trigger.id), "minute", 0)
        world.reconcile()
    assert {c["hyperparams"]["Args"]["of"]["value"] for c in world.clones()} == set(failed)


def test_a_paused_trigger_holds_and_goes_on_when_resumed_and_pausing_survives_registration(world: World) -> None:
    trigger = world.trigger()
    world.declare(trigger)
    world.pause(trigger)
    world.declare(trigger)
    world.fail_task()
    world.step()
    world.reconcile()
    assert world.clones() == []
    world.pause(trigger, paused=False)
    world.reconcile()
    assert list(world.runs().values()) == [1]


def test_a_retired_trigger_skips_what_was_granted_and_comes_back_with_its_memory(world: World) -> None:
    trigger = world.trigger()
    world.declare(trigger)
    first = world.fail_task()
    world.step()
    world.fail_task()
    world.poll()
    world.declare()
    world.settle()
    assert len(world.clones()) == 1
    world.declare(trigger)
    world.call("tasks.update_tags", ids=[first], add_tags=["again"])
    world.fail_task()
    world.step()
    assert len(world.clones()) == 2


def test_an_edited_trigger_acts_as_edited_on_what_was_granted_before(world: World) -> None:
    world.declare(world.trigger(action={"tag": "before"}))
    world.fail_task()
    world.poll()
    world.declare(world.trigger(action={"tag": "after"}))
    world.settle()
    assert [c["tags"] for c in world.clones()] == [["after"]]


def test_a_queue_made_later_is_found_by_a_retry_and_none_is_made(world: World) -> None:
    world.declare(world.trigger(action={"queue": "gpu later"}))
    world.fail_task()
    world.step()
    assert world.clones() == []
    assert world.call("queues.get_all", name="^gpu later$")["queues"] == []
    assert (
        world.history("failed")[0].reason
        == "the queue 'gpu later' is not on the server; create it or change the trigger"
    )
    world.call("queues.create", name="gpu later")
    world.expire_leases()
    world.reconcile()
    assert len(world.queue_entries("gpu later")) == 1


def test_a_firing_that_cannot_succeed_ends_as_a_dead_letter_after_its_attempts(world: World) -> None:
    trigger = world.trigger(action={"queue": "nowhere"}, policy={"single_instance": True})
    world.declare(trigger)
    world.fail_task()
    world.step()
    for _ in range(world.settings.max_attempts):
        world.expire_leases()
        world.reconcile()
    (letter,) = world.history("dead")
    assert "nowhere" in letter.reason
    assert "attempt 10 of 10" in letter.reason
    assert world.ledger.firings.slot_holder(trigger.id) == ("", "")


def test_a_missing_base_task_is_a_dead_letter_at_once(world: World) -> None:
    world.declare(world.trigger(action={"base_task_id": "0" * 31 + "1"}))
    world.fail_task()
    world.step()
    (letter,) = world.history("dead")
    assert letter.reason.startswith(f"the base task {'0' * 31}1 is not on the server; change the trigger")


def test_a_reused_task_runs_again_each_time_and_is_skipped_while_it_runs(world: World) -> None:
    world.declare(world.trigger(action={"reuse_task": True}))
    for run in range(1, 3):
        world.fail_task()
        world.step()
        assert world.queue_entries() == [world.base]
        world.fail_task()
        world.step()
        assert len(world.history("skipped")) == run
        (queue,) = world.call("queues.get_all", name="^default$")["queues"]
        assert world.call("queues.get_next_task", queue=queue["id"])["entry"]["task"] == world.base
        end(world, world.base)
    assert world.clones() == [], "nothing was cloned"


@pytest.mark.sandbox_control
def test_a_process_that_was_overtaken_does_not_reset_what_runs_for_the_next_firing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Frozen after it read the base task: by now another may have run it."""
    end(world, world.base)
    world.declare(world.trigger(action={"reuse_task": True}))
    world.fail_task()
    read = launches.read_base_tasks

    def read_and_freeze(*query: Any) -> dict[str, dict[str, Any]]:
        found = read(*query)
        for key in world.ledger.store.client.scan_iter(world.ledger.keys.firing("*")):
            world.ledger.store.client.hset(key, "lease", "of another")
        return found

    monkeypatch.setattr(launches, "read_base_tasks", read_and_freeze)
    world.step()
    made = world.sandbox.control.counts()
    assert not {"tasks.reset", "tasks.edit", "tasks.enqueue"} & made.keys()
    assert world.call("tasks.get_by_id", task=world.base)["task"]["status"] == "completed"


def test_a_published_task_cannot_be_reused_and_says_so(world: World) -> None:
    end(world, world.base)
    world.call("tasks.publish", task=world.base)
    world.declare(world.trigger(action={"reuse_task": True}))
    world.fail_task()
    world.step()
    assert "is published and cannot be reset" in world.history("dead")[0].reason


@pytest.mark.sandbox_control
def test_a_firing_that_pauses_long_keeps_nobody_out_of_its_slot(world: World) -> None:
    assert SLOT_PAUSE_SECONDS == 60
    world.settings = world.settings.model_copy(update={"retry_base_seconds": 100.0})
    world.ctx = world.context()
    world.sandbox.control.fault("error", "tasks.clone", times=1)
    world.declare(world.trigger(policy={"single_instance": True}))
    world.fail_task()
    world.step()
    assert world.clones() == []
    world.fail_task()
    world.step()
    assert len(world.clones()) == 1
