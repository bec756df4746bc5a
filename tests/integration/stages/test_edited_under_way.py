"""What people change while a firing is under way holds for it: pause, action, copies of launches."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.stages.conftest import World
from triggers.clearml_api import launches
from triggers.model import Trigger, make_trigger


class Killed(BaseException):
    """The process dies here."""


def die_before_the_enqueue(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A draft is recorded, and whether its enqueue was sent is unknown to the next attempt."""
    real = launches.enqueue

    def killed(*_: Any) -> Any:
        raise Killed

    monkeypatch.setattr(launches, "enqueue", killed)
    with pytest.raises(Killed):
        world.step()
    monkeypatch.setattr(launches, "enqueue", real)


def come_to_rest(world: World) -> None:
    for _ in range(4):
        world.expire_leases()
        world.calls_are_over()
        world.reconcile()


def started(world: World) -> list[dict[str, Any]]:
    return [clone for clone in world.clones() if clone["status"] != "created"]


@pytest.mark.parametrize("policy", [{}, {"single_instance": True}])
def test_a_pause_holds_for_what_was_recorded_before(
    world: World, monkeypatch: pytest.MonkeyPatch, policy: dict[str, Any]
) -> None:
    trigger = world.trigger(policy=policy)
    world.declare(trigger)
    world.fail_task()
    die_before_the_enqueue(world, monkeypatch)
    world.pause(trigger)
    come_to_rest(world)
    assert world.clones() == [], "the draft is withdrawn"
    assert len(world.ledger.operations.held(f"pause:{trigger.id}")) == 1
    assert world.ledger.by_hand.slots() == {}
    world.pause(trigger, False)
    come_to_rest(world)
    assert len(started(world)) == 1


def test_a_trigger_retired_meanwhile_launches_nothing_any_more(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.declare(world.trigger())
    world.fail_task()
    die_before_the_enqueue(world, monkeypatch)
    world.declare()
    come_to_rest(world)
    assert world.clones() == []


def by_function() -> Trigger:
    action = {"type": "function", "name": "local"}
    return make_trigger("task", name="on failure", trigger_on_status=["failed"], action=action)


def test_a_held_firing_goes_to_the_function_that_its_trigger_calls_now(world: World) -> None:
    trigger = world.trigger()
    world.declare(trigger)
    world.pause(trigger)
    world.fail_task()
    world.step()
    world.declare(by_function())
    world.pause(trigger, False)
    come_to_rest(world)
    assert (world.ledger.due("caller"), world.ledger.due("dispatch")) == (1, 0)
    assert world.history("dead") == []


def test_a_firing_of_a_function_goes_to_the_task_that_its_trigger_launches_now(world: World) -> None:
    from tests.integration.stages.calling import call_one

    world.declare(by_function())
    world.fail_task()
    world.step()
    world.declare(world.trigger())
    assert call_one(world.ctx, {})
    come_to_rest(world)
    assert len(started(world)) == 1


def test_a_recorded_draft_is_withdrawn_before_a_function_is_called_instead(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.declare(world.trigger())
    world.fail_task()
    die_before_the_enqueue(world, monkeypatch)
    world.declare(by_function())
    come_to_rest(world)
    assert world.clones() == []
    assert (world.ledger.due("caller"), world.ledger.due("dispatch")) == (1, 0)


def test_a_copy_that_a_person_runs_takes_no_slot_after_redis_restarted(world: World) -> None:
    world.declare(world.trigger(policy={"single_instance": True}))
    world.fail_task()
    world.step()
    (run,) = started(world)
    world.call("tasks.started", task=run["id"])
    world.tick()
    copy = world.call("tasks.clone", task=run["id"])["id"]
    world.call("tasks.enqueue", task=copy)
    world.call("tasks.started", task=copy)
    world.ledger.store.client.hset(world.ledger.keys.epoch, "run_id", "0" * 40)
    world.ctx = world.context()
    world.fail_task()
    world.step()
    world.call("tasks.completed", task=copy)
    world.tick()
    world.fail_task()
    world.step()
    live = [clone["id"] for clone in world.clones() if clone["status"] in ("queued", "in_progress")]
    assert live == [run["id"]]


def test_a_slot_switched_on_while_a_launch_runs_is_that_launch_s(world: World) -> None:
    world.declare(world.trigger())
    world.fail_task()
    world.step()
    (run,) = started(world)
    world.call("tasks.started", task=run["id"])
    world.declare(world.trigger(policy={"single_instance": True}))
    world.tick()
    world.fail_task()
    world.step()
    assert len(started(world)) == 1
    world.call("tasks.completed", task=run["id"])
    world.launched_before(run["id"], 100)
    world.tick()
    world.fail_task()
    world.step()
    assert len(started(world)) == 2


def test_a_slot_switched_on_while_a_launch_is_sent_is_that_launch_s(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.declare(world.trigger())
    world.fail_task()
    real = launches.enqueue

    def switched_on(*args: Any) -> Any:
        world.declare(world.trigger(policy={"single_instance": True}))
        return real(*args)

    monkeypatch.setattr(launches, "enqueue", switched_on)
    world.step()
    monkeypatch.setattr(launches, "enqueue", real)
    world.tick()
    world.fail_task()
    world.step()
    assert len(started(world)) == 1


def test_a_task_that_was_to_be_reused_outlives_an_edit_of_its_trigger(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.declare(world.trigger(action={"reuse_task": True}))
    world.fail_task()
    die_before_the_enqueue(world, monkeypatch)
    world.declare(world.trigger())
    come_to_rest(world)
    assert world.call("tasks.get_all_ex", id=[world.base], search_hidden=True)["tasks"], "it is the user's"
    assert len(started(world)) == 1


@pytest.mark.parametrize("policy", [{}, {"single_instance": True}])
@pytest.mark.parametrize("sent", [False, True])
def test_what_is_recorded_for_a_trigger_deleted_meanwhile_is_settled_first(
    world: World, monkeypatch: pytest.MonkeyPatch, policy: dict[str, Any], sent: bool
) -> None:
    trigger = world.trigger(policy=policy)
    world.declare(trigger)
    world.fail_task()
    die_before_the_enqueue(world, monkeypatch)
    (draft,) = world.clones()
    if sent:
        world.call("tasks.enqueue", task=draft["id"])
    world.ledger.registry.edit(lambda *_: {trigger.id: None})
    come_to_rest(world)
    assert [clone["id"] for clone in world.clones()] == ([draft["id"]] if sent else [])
    assert [one.what for one in world.ledger.history.read()][-1] == ("launched" if sent else "skipped")
    slots = world.ledger.by_hand.slots()
    assert set(slots) == ({trigger.id} if sent and policy else set())


def test_a_task_that_was_to_be_reused_outlives_its_trigger(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    trigger = world.trigger(action={"reuse_task": True})
    world.declare(trigger)
    world.fail_task()
    die_before_the_enqueue(world, monkeypatch)
    world.ledger.registry.edit(lambda *_: {trigger.id: None})
    come_to_rest(world)
    (base,) = world.call("tasks.get_all_ex", id=[world.base], search_hidden=True)["tasks"]
    assert base["status"] == "created"
    assert world.ledger.by_hand.slots() == {}
