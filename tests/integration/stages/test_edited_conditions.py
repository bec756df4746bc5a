"""`fire` or the condition edited, odd marks, an object twice in a page: no transition is lost."""

from __future__ import annotations

import pytest

from tests.integration.stages.conftest import World
from triggers.ledger.polling.batches import encode_batches
from triggers.model.events import Event
from triggers.stages.match import match


def turn(world: World, task: str, *steps: str) -> None:
    for step in steps:
        world.call(f"tasks.{step}", task=task, **({"force": True} if step == "reset" else {}))
        world.tick()
        world.step()


@pytest.mark.parametrize("before", ["once", "while_true"])
def test_a_trigger_edited_to_transitions_sees_what_it_fired_for_become_false(world: World, before: str) -> None:
    world.declare(world.trigger(policy={"fire": before}))
    task = world.fail_task()
    world.step()
    world.declare(world.trigger(policy={"fire": "on_transition"}))
    world.tick()
    for expected in (2, 3):
        turn(world, task, "reset", "started", "failed")
        assert len(world.history("launched")) == expected


def test_a_trigger_edited_back_to_once_does_not_fire_again(world: World) -> None:
    world.declare(world.trigger(policy={"fire": "on_transition"}))
    task = world.fail_task()
    world.step()
    world.tick()
    turn(world, task, "reset")
    world.declare(world.trigger())
    for key in world.ledger.store.client.scan_iter(world.ledger.keys.firing("*").replace("{", "?").replace("}", "?")):
        world.ledger.store.client.delete(key)  # kept for a week only
    turn(world, task, "started", "failed")
    assert len(world.history("launched")) == 1


def test_an_edited_condition_that_becomes_true_for_the_first_time_fires(world: World) -> None:
    policy = {"fire": "on_transition"}
    world.declare(world.trigger(trigger_on_status=["completed"], policy=policy))
    task = world.create_task()
    turn(world, task, "started", "completed")
    world.declare(world.trigger(trigger_on_status=["published"], policy=policy))
    turn(world, task, "publish")
    assert len(world.history("launched")) == 2


def test_an_edited_condition_that_was_true_all_along_does_not_fire_again(world: World) -> None:
    policy = {"fire": "on_transition"}
    world.declare(world.trigger(policy=policy))
    task = world.fail_task()
    world.step()
    world.declare(world.trigger(trigger_on_status=["failed", "stopped"], policy=policy))
    world.tick()
    world.call("tasks.update_tags", ids=[task], add_tags=["looked at"])
    world.step()
    assert len(world.history("launched")) == 1


@pytest.mark.parametrize("text", ["01:1:5:5", "0:0:5:0", "1:1: 5:5", "1:2:5:5"])
def test_a_mark_that_is_spelled_otherwise_does_not_stop_its_partition(world: World, text: str) -> None:
    trigger = world.trigger(policy={"fire": "on_transition"})
    world.declare(trigger)
    task = world.fail_task()
    world.ledger.store.client.hset(world.ledger.keys.marks(trigger.id), task, text)
    world.step()
    assert world.ledger.matching.mark(trigger.id, task).to_text() == world.ledger.store.client.hget(
        world.ledger.keys.marks(trigger.id), task
    )
    assert world.ledger.reading.waiting_partitions() == []


@pytest.mark.parametrize("size", [1, 2, 3, 100])
def test_every_transition_within_a_batch_counts(world: World, size: int) -> None:
    trigger = world.trigger(policy={"fire": "on_transition"})
    world.declare(trigger)
    world.step()
    entry = world.ledger.registry.snapshot().get(trigger.id)
    assert entry is not None
    statuses = ["in_progress", "failed"] * 10
    events = [Event("task", "f" * 32, entry.since_ms + i, status=status) for i, status in enumerate(statuses)]
    client, keys = world.ledger.store.client, world.ledger.keys
    for partition, text in encode_batches(events, plan=1, polled_ms=1, partitions=16, size=size):
        client.rpush(keys.batches(partition), text)
        client.zadd(keys.ready, {str(partition): 1})
    assert sum(match(world.ctx, partition) for partition in world.ledger.reading.waiting_partitions()) == 10
