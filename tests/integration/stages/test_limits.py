"""Limits of what was launched: aborted by the ledger, whichever process is alive."""

from __future__ import annotations

import pytest

from tests.integration.stages.conftest import World
from triggers.base.errors import InvalidTrigger
from triggers.model import make_trigger


def status(world: World, task: str) -> str:
    (found,) = world.call("tasks.get_all", id=[task], only_fields=["status"])["tasks"]
    return str(found["status"])


def launched(world: World, running: bool) -> str:
    """The task that is launched for a failed one, queued or running, and known to the limits."""
    world.fail_task()
    world.step()
    (task,) = [clone["id"] for clone in world.clones()]
    if running:
        world.call("tasks.started", task=task)
    world.reconcile()
    return str(task)


def let_pass(world: World, task: str, minutes: float) -> None:
    """Let a launch be older, by the clocks of Redis and of the server."""
    world.ledger.store.client.zincrby(world.ledger.keys.limits, -60_000 * minutes, task)
    ahead = world.sandbox.control.clock()["offset_seconds"]
    world.sandbox.control.clock(offset_seconds=ahead + 60 * minutes)


@pytest.mark.sandbox_control
@pytest.mark.parametrize("running", [False, True])
def test_a_launch_is_aborted_after_its_limit_and_not_before(world: World, running: bool) -> None:
    world.declare(world.trigger(policy={"limit_execution_time": 0.5}))
    task = launched(world, running)
    assert status(world, task) == ("in_progress" if running else "queued")
    let_pass(world, task, 30)
    world.ctx = world.context()
    world.reconcile()
    assert status(world, task) == "stopped"
    world.reconcile()
    assert world.ledger.store.client.zcard(world.ledger.keys.limits) == 0


def test_without_anything_overdue_the_server_is_not_asked(world: World) -> None:
    world.declare(world.trigger(policy={"limit_execution_time": 1}))
    world.fail_task()
    world.step()
    world.reconcile()
    before = world.sandbox.control.counts()
    world.reconcile()
    assert world.sandbox.control.counts() == before


@pytest.mark.sandbox_control
def test_a_reused_task_has_its_limit_from_its_last_launch_on(world: World) -> None:
    """Its first run has long ended when the second is launched."""
    world.declare(world.trigger(action={"reuse_task": True}, policy={"limit_execution_time": 1}))
    for minutes in (50, 0):
        world.fail_task()
        world.step()
        world.reconcile()
        world.launched_before(world.base, 60 * minutes)
        let_pass(world, world.base, minutes)
        if minutes:
            world.call("tasks.started", task=world.base)
            world.call("tasks.completed", task=world.base)
    let_pass(world, world.base, 20)
    world.reconcile()
    assert status(world, world.base) == "queued", "it runs for 20 minutes"
    let_pass(world, world.base, 41)
    world.reconcile()
    assert status(world, world.base) == "stopped"


@pytest.mark.sandbox_control
def test_an_emptied_redis_learns_again_what_runs_under_a_limit(world: World) -> None:
    limited = world.trigger(name="limited", policy={"limit_execution_time": 1})
    triggers = (limited, world.trigger(name="unlimited"))
    world.declare(*triggers)
    world.fail_task()
    world.step()
    world.reconcile()
    for clone in world.clones():
        world.call("tasks.started", task=clone["id"])
    since = {id_: entry.since_ms for id_, entry in world.ledger.registry.snapshot().entries.items()}
    world.ledger.store.client.flushall()
    world.ctx = world.context()
    world.ledger.registry.declare(triggers, origin="script", server_now_ms=0, since_ms=since)
    world.sandbox.control.clock(offset_seconds=3500)
    world.reconcile()
    assert {clone["status"] for clone in world.clones()} == {"in_progress"}
    (task,) = map(str, world.ledger.store.client.zrange(world.ledger.keys.limits, 0, -1))
    assert world.ledger.firings.launchers([task]) == {task: limited.id}
    let_pass(world, task, 4)
    world.reconcile()
    assert [clone["id"] for clone in world.clones(status=["stopped"])] == [task]
    world.reconcile()  # it has ended
    before = world.sandbox.control.counts()
    world.reconcile()
    assert world.sandbox.control.counts() == before, "it is learned once"


@pytest.mark.sandbox_control
def test_a_limit_that_was_taken_away_aborts_nothing(world: World) -> None:
    world.declare(world.trigger(policy={"limit_execution_time": 1}))
    world.fail_task()
    world.step()
    world.reconcile()
    (task,) = [clone["id"] for clone in world.clones()]
    let_pass(world, task, 120)
    world.declare(world.trigger(), world.trigger(name="other", policy={"limit_execution_time": 1}))
    world.reconcile()
    assert status(world, task) == "queued"


@pytest.mark.parametrize("running", [False, True])
def test_a_redis_clock_that_is_set_forward_aborts_nothing_that_is_young(world: World, running: bool) -> None:
    """The ClearML server's clock says how old a launch is at most."""
    world.declare(world.trigger(policy={"limit_execution_time": 1}))
    task = launched(world, running)
    world.ledger.store.client.zincrby(world.ledger.keys.limits, -5 * 3600 * 1000, task)
    world.reconcile()
    assert status(world, task) == ("in_progress" if running else "queued")
    before = world.sandbox.control.counts()
    world.reconcile()
    assert world.sandbox.control.counts() == before, "it counts from its launch again"


@pytest.mark.sandbox_control
def test_a_task_that_somebody_enqueues_again_counts_from_then_while_it_is_queued(world: World) -> None:
    world.declare(world.trigger(policy={"limit_execution_time": 1}))
    world.fail_task()
    world.step()
    (task,) = [clone["id"] for clone in world.clones()]
    world.call("tasks.dequeue", task=task)
    world.call("tasks.started", task=task, force=True)
    world.reconcile()
    let_pass(world, task, 50)
    world.call("tasks.failed", task=task)
    (queue,) = [one["id"] for one in world.call("queues.get_all", name="^default$")["queues"]]
    world.call("tasks.enqueue", task=task, queue=queue)
    let_pass(world, task, 20)
    world.reconcile()
    assert status(world, task) == "queued", "by the person's word for 20 minutes"
    let_pass(world, task, 41)
    world.reconcile()
    assert status(world, task) == "stopped"


@pytest.mark.sandbox_control
@pytest.mark.parametrize("end", ["completed", "deleted"])
def test_what_has_ended_by_its_limit_is_left_alone(world: World, end: str) -> None:
    world.declare(world.trigger(policy={"limit_execution_time": 1}))
    world.fail_task()
    world.step()
    (task,) = [clone["id"] for clone in world.clones()]
    world.call("tasks.started", task=task)
    world.reconcile()
    world.call("tasks.completed", task=task)
    if end == "deleted":
        world.call("tasks.delete", task=task, force=True)
    let_pass(world, task, 61)
    world.reconcile()
    assert [clone["status"] for clone in world.clones()] == ["completed"] * (end == "completed")
    before = world.sandbox.control.counts()
    world.reconcile()
    assert world.sandbox.control.counts() == before, "it is forgotten"


def test_cancel_previous_aborts_what_runs_and_launches_the_newest(world: World) -> None:
    world.declare(world.trigger(policy={"single_instance": True, "overlap": "cancel_previous"}))
    world.fail_task()
    world.step()
    (first,) = [clone["id"] for clone in world.clones()]
    world.call("tasks.started", task=first)
    for _ in range(2):
        world.fail_task()
        world.poll()
    world.settle()
    assert status(world, first) == "stopped"
    world.reconcile()
    launched = [clone["id"] for clone in world.clones()]
    assert len(launched) == 2, "the one between was skipped"
    assert status(world, launched[1]) == "queued"


def test_a_function_cannot_be_aborted() -> None:
    policy = {"single_instance": True, "overlap": "cancel_previous"}
    with pytest.raises(InvalidTrigger, match="cannot be aborted"):
        make_trigger("task", name="t", action={"type": "function", "name": "f"}, policy=policy)


def fail(world: World, count: int) -> None:
    """Let launches fail, one after the other."""
    for _ in range(count):
        world.fail_task()
        world.step()
        (task,) = [clone["id"] for clone in world.clones(status=["queued"])]
        world.call("tasks.started", task=task)
        world.call("tasks.failed", task=task)
        world.reconcile()


def test_failures_in_a_row_pause_a_trigger_and_a_success_begins_anew(world: World) -> None:
    trigger = world.trigger(policy={"pause_on_failures": 2})
    world.declare(trigger)
    fail(world, 1)
    world.fail_task()
    world.step()
    (task,) = [clone["id"] for clone in world.clones(status=["queued"])]
    world.call("tasks.started", task=task)
    world.call("tasks.completed", task=task)
    world.reconcile()
    fail(world, 1)
    assert not world.ledger.registry.snapshot().entries[trigger.id].paused
    fail(world, 1)
    assert world.ledger.registry.snapshot().entries[trigger.id].paused
    (line,) = world.ledger.audit.read()
    assert (line.who, line.what, line.outcome) == ("pause_on_failures", "pause", "done")
    assert line.detail == {"triggers": [trigger.name], "reason": "failed 2 times in a row"}
    assert "2 times in a row" in world.ledger.history.alarms()[f"failures:{trigger.id}"]["text"]
    world.pause(trigger, False)
    world.reconcile()
    assert f"failures:{trigger.id}" not in world.ledger.history.alarms()
    assert not world.ledger.registry.snapshot().entries[trigger.id].paused
