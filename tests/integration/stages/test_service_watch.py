"""What polls see of service tasks: the serving process goes by it, in place of the monitor of the SDK."""

from __future__ import annotations

import pytest

from tests.integration.stages.conftest import World
from triggers.client.abort_watch import ASK_SECONDS, AbortWatch
from triggers.ledger.deployment.schedulers import Scheduler


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def watch(world: World, clock: Clock) -> AbortWatch:
    scheduler = Scheduler("h", "w", "p", "n", 1.0, service_task=world.service)
    return AbortWatch(world.api, world.ledger, scheduler, clock)


def asked(world: World) -> int:
    return world.sandbox.control.counts().get("tasks.get_all", 0)


@pytest.mark.sandbox_control
def test_an_abort_is_seen_by_the_next_poll_and_nothing_is_asked_before(world: World, clock: Clock) -> None:
    world.call("tasks.started", task=world.service)
    world.declare(world.trigger())
    world.poll()
    found, before = watch(world, clock), asked(world)
    for _ in range(20):
        clock.now += 30
        world.poll()
        assert not found.is_aborted()
    assert asked(world) == before
    world.call("tasks.stopped", task=world.service)
    world.poll()
    assert found.is_aborted()
    assert asked(world) == before + 1


@pytest.mark.sandbox_control
def test_where_polls_do_not_see_service_tasks_the_process_asks_itself(world: World, clock: Clock) -> None:
    world.call("tasks.started", task=world.service)
    world.declare(world.trigger("model", trigger_on_publish=True))
    world.poll()
    found, before = watch(world, clock), asked(world)
    assert not found.is_aborted()
    assert asked(world) == before
    clock.now += ASK_SECONDS
    assert not found.is_aborted()
    assert asked(world) == before + 1
    world.call("tasks.stopped", task=world.service)
    clock.now += ASK_SECONDS
    assert found.is_aborted()


@pytest.mark.sandbox_control
def test_a_service_task_that_runs_again_is_not_aborted(world: World, clock: Clock) -> None:
    world.call("tasks.started", task=world.service)
    world.declare(world.trigger())
    world.poll()
    world.call("tasks.stopped", task=world.service)
    world.poll()
    world.call("tasks.started", task=world.service)
    assert not watch(world, clock).is_aborted()
