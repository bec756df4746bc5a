"""What the scripts behind the verbs rule out: each races with the stages and leaves nothing half done."""

from __future__ import annotations

import pytest

from tests.integration.stages.conftest import World
from triggers.base.errors import EpochChanged
from triggers.operate import granting
from triggers.operate.target import open_target


def test_a_firing_by_hand_is_refused_when_a_matcher_was_first(world: World) -> None:
    trigger = world.trigger(name="retry")
    world.declare(trigger)
    world.step()
    failed = world.fail_task()
    with open_target() as target:
        (found,) = granting.find(target, [target.entry("retry")], world.ledger.now_ms() - 60_000)[0]
        world.poll()
        world.settle()
        assert granting.replay(target, [found]) == [], "the mark is no longer what was read"
        assert granting.replay(target, [found]) == []
    assert sorted(world.runs().values()) == [1]
    assert world.ledger.matching.marks([(trigger.id, failed)])[trigger.id, failed].occurrence == 1


def test_what_somebody_launches_is_not_skipped(world: World) -> None:
    trigger = world.trigger(name="retry")
    world.declare(trigger)
    for _ in range(3):
        world.fail_task()
    world.poll()
    world.hints.dispatches = 0
    from triggers.stages.match import match

    while world.hints.partitions:
        match(world.ctx, world.hints.partitions.pop())
    claim = world.ledger.firings.claim("dispatch", 1, 30)
    assert world.ledger.by_hand.skip_waiting(trigger.id, "missed") == 2
    (claimed,) = claim.firings
    kept = world.ledger.firings.get(claimed.key)
    assert kept is not None
    assert kept.state == "waiting"
    assert {entry.reason for entry in world.history("skipped")} == {"missed"}


def test_releasing_twice_releases_once(world: World) -> None:
    trigger = world.trigger(name="retry")
    world.declare(trigger)
    world.pause(trigger)
    world.fail_task()
    world.step()
    hold = f"pause:{trigger.id}"
    keys = [firing.key for firing in world.ledger.operations.held(hold)]
    assert world.ledger.by_hand.release_now(hold, keys, "tester") == 1
    assert world.ledger.by_hand.release_now(hold, keys, "tester") == 0
    assert world.ledger.firings.holds() == []
    assert world.ledger.due("dispatch") == 1


def test_a_slot_that_changed_hands_is_left_alone(world: World) -> None:
    world.ledger.store.client.hset(world.ledger.keys.slots, "task:retry", "newer task2")
    assert not world.ledger.by_hand.release_slot("task:retry", ("older", "task1"))
    assert world.ledger.by_hand.slots() == {"task:retry": ("newer", "task2")}
    assert world.ledger.by_hand.release_slot("task:retry", ("newer", "task2"))
    assert world.ledger.by_hand.slots() == {}


def test_a_verb_that_saw_another_run_of_redis_changes_nothing(world: World) -> None:
    with open_target() as target:
        target.ledger.store.run_id = "0" * 40
        with pytest.raises(EpochChanged):
            target.ledger.by_hand.set_cursor("tasks", 1)
