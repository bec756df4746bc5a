"""Fifty thousand objects tagged by one call: paced, held in order, visible, alarmed, stopped by one call, dropped."""

from __future__ import annotations

import time

import pytest

from tests.integration.stages.conftest import World
from triggers.ledger.firings.firing import firing_key
from triggers.sandbox import Sandbox
from triggers.sandbox.calls import Call
from triggers.sandbox.services.tasks import create

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

OBJECTS, PER_MINUTE = 50_000, 1_000


def make_tasks(server: Sandbox, number: int) -> list[str]:
    """So many ClearML tasks, without so many requests."""
    state, body = server.app.state, {"name": "one of many", "type": "training"}
    return [str(create(Call(state, "tasks.create", body, time.time()))["id"]) for _ in range(number)]


@pytest.mark.sandbox_control
def test_fifty_thousand_objects_tagged_at_once(world: World, server: Sandbox) -> None:
    trigger = world.trigger(trigger_on_tags=["bulk"])
    other = world.trigger(name="another", trigger_on_status=["failed"])
    world.declare(trigger, other)
    assert world.settings.max_per_minute == PER_MINUTE, "the default"
    ids = make_tasks(server, OBJECTS)
    world.call("tasks.update_tags", ids=ids, add_tags=["bulk"])
    failed = world.fail_task()
    world.step()

    hold, operations = f"pace:{trigger.id}", world.ledger.operations
    enqueued = len(world.queue_entries())
    minutes = -(-enqueued // PER_MINUTE)  # the minute may have ended in between
    assert enqueued <= minutes * PER_MINUTE + 1
    assert operations.held_count(hold) == OBJECTS - (enqueued - 1)
    unhindered = world.ledger.firings.get(firing_key(world.ledger.scheduler, other.id, failed, 1))
    assert unhindered is not None
    assert unhindered.state == "launched"
    assert f"more than {PER_MINUTE} times a minute" in world.ledger.history.alarms()[hold]["text"]

    # held in the order of their grants; the next minute takes the first of them
    oldest = [firing.key for firing in operations.held(hold, 0, PER_MINUTE)]
    world.ledger.store.client.hset(world.ledger.keys.pace(trigger.id), "minute", 0)
    world.reconcile()
    launched = len(world.queue_entries()) - enqueued
    assert 0 < launched <= PER_MINUTE
    states = [world.ledger.firings.get(key) for key in oldest[:launched]]
    assert {firing.state for firing in states if firing} == {"launched"}

    world.pause(trigger)  # the one call
    held, asked = operations.held_count(hold), world.sandbox.control.counts()
    world.ledger.store.client.hset(world.ledger.keys.pace(trigger.id), "minute", 0)
    for _ in range(3):
        world.reconcile()
    assert len(world.queue_entries()) == enqueued + launched
    assert world.sandbox.control.counts().get("tasks.clone") == asked.get("tasks.clone")

    dropped = 0
    for name in (hold, f"pause:{trigger.id}"):
        keys = [firing.key for firing in operations.held(name, 0, OBJECTS)]
        dropped += operations.drop_held(name, keys, "a person")
    assert dropped == held == OBJECTS - (enqueued - 1) - launched
    world.reconcile()
    assert (world.ledger.firings.holds(), world.ledger.history.alarms()) == ([], {})
