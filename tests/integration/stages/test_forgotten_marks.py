"""The budget of marks: what is forgotten is looked up by the key of its launch before its object fires again."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.stages.conftest import World
from tests.servers import VERIFIED
from triggers.base.errors import ServerUnavailable
from triggers.clearml_api import launches
from triggers.ledger.deployment.schedulers import Scheduler
from triggers.ledger.firings import forgetting
from triggers.ledger.firings.firing import firing_key
from triggers.model import Trigger, make_trigger
from triggers.operate.granting import fire, judge, replay
from triggers.operate.objects import read_object
from triggers.operate.target import Target
from triggers.stages.budgets import keep_to_budgets

pytestmark = pytest.mark.skipif(VERIFIED, reason="the clock of a genuine server cannot be set forward")

LONG_MS = 86_400_000
#: Polls read nothing of before a second ago again.
READ_ONCE = {"sweep_window_seconds": 1.0, "overlap_seconds": 1.0}


@pytest.fixture
def forgetful(monkeypatch: pytest.MonkeyPatch, world: World) -> World:
    """A scheduler that may remember nothing that is over."""
    monkeypatch.setattr(forgetting, "KEPT_MS", -LONG_MS)
    nothing = {"firings_megabytes": 1e-9, "launched_megabytes": 1e-9, "marks_megabytes": 1e-9} | READ_ONCE
    world.ctx.settings = world.settings.model_copy(update=nothing)
    return world


def marks(world: World, trigger: Trigger) -> dict[str, str]:
    found: Any = world.ledger.store.client.hgetall(world.ledger.keys.marks(trigger.id))
    return dict(found)


def forget(world: World) -> None:
    for _ in range(10):  # all is read up to long after the launches
        world.tick()
    world.step()
    for _ in range(2):  # marks follow the records of their firings
        world.ledger.store.client.hdel(world.ledger.keys.forgetting, "next_ms")
        keep_to_budgets(world.ctx, 0)


def change(world: World, *tasks: str, **fields: Any) -> None:
    world.tick()
    for task in tasks:
        world.call("tasks.edit", task=task, force=True, **fields or {"comment": "changed once more"})


def target_of(world: World) -> Target:
    scheduler = Scheduler(world.sandbox.url, "workspace", "project", "name", 1.0, service_task=world.service)
    target = Target(scheduler, world.ledger, world.settings, running=True, where="")
    target.__dict__["api"] = world.api  # in place of that of the environment
    return target


@pytest.mark.parametrize("fire_mode", ["once", "while_true"])
def test_what_was_forgotten_is_known_again_by_its_launch(forgetful: World, fire_mode: str) -> None:
    world, trigger = forgetful, forgetful.trigger(policy={"fire": fire_mode})
    world.declare(trigger)
    failed = [world.fail_task() for _ in range(3)]
    world.step()
    forget(world)
    assert marks(world, trigger) == {}
    other = world.fail_task()
    change(world, *failed)
    world.step()
    again = 2 if fire_mode == "while_true" else 1
    assert sorted(world.runs().values()) == [1] * (len(failed) * again + 1), "each occurrence once"
    assert marks(world, trigger).keys() == {*failed, other}
    assert {text.split(":")[0] for id_, text in marks(world, trigger).items() if id_ != other} == {str(again)}


def test_a_transition_after_one_that_was_forgotten_is_the_next(forgetful: World) -> None:
    world = forgetful
    trigger = world.trigger(trigger_on_tags=["go"], policy={"fire": "on_transition"})
    world.declare(trigger)
    task = world.create_task()
    for tags in (["go"], [], ["go"]):
        change(world, task, tags=tags)
        world.step()
    forget(world)
    assert marks(world, trigger).keys() == {task}, "nobody else knows that the condition holds"
    change(world, task, tags=[])
    world.step()
    forget(world)
    assert marks(world, trigger) == {}
    change(world, task, tags=["go"])
    world.step()
    assert sorted(world.runs().values()) == [1, 1, 1]
    change(world, task)
    world.step()
    assert sorted(world.runs().values()) == [1, 1, 1]


def test_a_mark_stays_where_the_server_shows_no_launch(forgetful: World) -> None:
    world = forgetful
    skipping = world.trigger(name="skipping", policy={"single_instance": True})
    deleted = world.trigger(name="deleted")
    world.declare(deleted)
    lost = world.fail_task()
    world.step()
    for one in world.clones():
        world.call("tasks.delete", task=one["id"], force=True)
    world.declare(deleted, skipping)
    world.tick()
    kept = [world.fail_task() for _ in range(2)]
    world.step()
    forget(world)
    assert marks(world, deleted).keys() == {lost}
    assert len(marks(world, skipping)) == 1, "that which was skipped launched nothing"
    assert set(marks(world, skipping)) <= set(kept)
    change(world, lost)
    world.step()
    assert world.runs()[firing_key(world.ledger.scheduler, deleted.id, lost, 1)] == 0


def test_a_function_that_was_called_stays_known(forgetful: World) -> None:
    world = forgetful
    action = {"type": "function", "name": "abs", "reference": "builtins:abs"}
    trigger = make_trigger("task", name="calls", action=action, trigger_on_status=["failed"])
    world.declare(trigger)
    failed = world.fail_task()
    world.poll()
    world.match()
    (claimed,) = world.ledger.firings.claim(trigger.action.lane, 1, 10).firings
    world.ledger.firings.launched(claimed, trigger.action.lane)
    forget(world)
    assert marks(world, trigger).keys() == {failed}
    change(world, failed)
    world.step()
    assert world.ledger.due(trigger.action.lane) == 0
    world.call("tasks.delete", task=failed, force=True)
    forget(world)
    assert marks(world, trigger) == {}


def test_an_object_that_is_gone_needs_no_mark(forgetful: World) -> None:
    world, trigger = forgetful, forgetful.trigger(policy={"single_instance": True})
    world.declare(trigger)
    failed = [world.fail_task() for _ in range(2)]
    world.step()
    forget(world)
    (skipped,) = marks(world, trigger)
    assert skipped in failed
    world.call("tasks.delete", task=skipped, force=True)
    forget(world)
    assert marks(world, trigger) == {}


def test_nothing_is_decided_while_the_server_does_not_say(forgetful: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world, trigger = forgetful, forgetful.trigger()
    world.declare(trigger)
    failed = world.fail_task()
    world.step()
    forget(world)
    new = world.fail_task()
    change(world, failed)
    with monkeypatch.context() as patch:

        def no_answer(*_: object) -> Any:
            raise ServerUnavailable("no answer")

        patch.setattr(launches, "find_launches", no_answer)
        world.step()
        assert (sum(world.runs().values()), marks(world, trigger)) == (1, {})
    world.reconcile()
    world.settle()
    assert sorted(world.runs().values()) == [1, 1]
    assert marks(world, trigger).keys() == {failed, new}


def test_replay_and_fire_look_up_what_was_forgotten(forgetful: World) -> None:
    world, trigger = forgetful, forgetful.trigger()
    world.declare(trigger)
    failed = world.fail_task()
    world.step()
    forget(world)
    target = target_of(world)
    entry = world.ledger.registry.snapshot().entries[trigger.id]
    event = read_object(world.api, [trigger], failed, "task")
    assert event is not None
    candidate = judge(target, entry, event)
    assert (candidate.fires, replay(target, [candidate])) == (False, [])
    fire(target, entry, failed)
    world.hints.dispatches = 1
    world.settle()
    assert sorted(world.runs().values()) == [1, 1], "a person's firing is the second occurrence"


def test_a_retired_mode_is_remembered_as_seen_true(forgetful: World) -> None:
    """An object that fired `once` does not fire again because its trigger fires on transitions now."""
    world, trigger = forgetful, forgetful.trigger()
    world.declare(trigger)
    failed = world.fail_task()
    world.step()
    forget(world)
    world.declare(world.trigger(policy={"fire": "on_transition"}))
    change(world, failed)
    world.step()
    assert sorted(world.runs().values()) == [1]


def test_within_the_budget_no_request_is_made(world: World) -> None:
    world.declare(world.trigger())
    world.fail_task()
    world.step()
    world.ctx.api = None  # type: ignore[assignment]
    keep_to_budgets(world.ctx, 0)
    assert world.ledger.marks.all() == {}
    assert world.ledger.store.client.exists(world.ledger.keys.forgetting) == 0


def test_no_more_are_forgotten_than_are_too_many_the_oldest_first(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forgetting, "KEPT_MS", -LONG_MS)
    trigger = world.trigger()
    world.declare(trigger)
    failed = []
    for _ in range(6):
        world.tick()
        failed.append(world.fail_task())
    world.step()
    budget = 4.5 * forgetting.MARK_BYTES / 1_000_000
    world.ctx.settings = world.settings.model_copy(
        update={"firings_megabytes": 1e-9, "marks_megabytes": budget} | READ_ONCE
    )
    forget(world)
    assert set(marks(world, trigger)) == set(failed[2:])


def test_marks_are_forgotten_by_age(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forgetting, "KEPT_MS", -LONG_MS)
    trigger = world.trigger()
    world.declare(trigger)
    world.fail_task()
    world.step()
    for days, left in ((1.0, 1), (1e-9, 0)):
        world.ctx.settings = world.settings.model_copy(
            update={"firings_megabytes": 1e-9, "marks_days": days} | READ_ONCE
        )
        forget(world)
        assert len(marks(world, trigger)) == left
