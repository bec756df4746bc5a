"""Redis' wall clock is set back and forward while firings are under way."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from tests.clocks.stepping import SteppedClock
from tests.deploy.hosts import eventually
from tests.integration.stages.conftest import World
from triggers.ledger import leases
from triggers.stages.match import match
from triggers.stages.poll import poll
from triggers.stages.reconcile import reconcile

#: How Redis' clock is stepped: back, far back, forward, and forward and back again.
STEPS = [[-600], [-86_400], [3_600], [3_600, 0]]


def launches(world: World) -> Callable[[], bool]:
    """A look that serves the scheduler, and says whether its one firing was launched."""

    def look() -> bool:
        reconcile(world.ctx)
        world.settle()
        return bool(world.runs())

    return look


def granted(world: World) -> None:
    world.declare(world.trigger())
    world.fail_task()
    world.poll()
    while world.hints.partitions:
        match(world.ctx, world.hints.partitions.pop())
    world.hints.dispatches = 0


@pytest.mark.parametrize("steps", STEPS)
def test_a_dead_dispatchers_firing_is_launched_in_time(world: World, clock: SteppedClock, steps: list[int]) -> None:
    granted(world)
    assert world.ledger.firings.claim("dispatch", 10, 2.0).firings
    for step in steps:
        clock.set(step)
        reconcile(world.ctx)
    eventually(launches(world), "it is launched")
    assert list(world.runs().values()) == [1]


@pytest.mark.parametrize("steps", STEPS)
def test_a_pause_before_the_next_attempt_ends_in_time(world: World, clock: SteppedClock, steps: list[int]) -> None:
    granted(world)
    (firing,) = world.ledger.firings.claim("dispatch", 10, 2.0).firings
    world.ledger.firings.fail(firing, "dispatch", 3.0, "the server is down", untouched=True)
    for step in steps:
        clock.set(step)
        reconcile(world.ctx)
    eventually(launches(world), "it is tried again")


@pytest.mark.parametrize("steps", STEPS)
@pytest.mark.parametrize("name", ["reconcile", "match:3", "poll", "sync", "home"])
def test_a_dead_holders_lease_runs_out_in_time(world: World, clock: SteppedClock, name: str, steps: list[int]) -> None:
    ledger = world.ledger
    assert leases.acquire(ledger.store, ledger.keys, name, 2.0)
    for step in steps:
        clock.set(step)
        leases.acquire(ledger.store, ledger.keys, name, 2.0)
    eventually(lambda: leases.acquire(ledger.store, ledger.keys, name, 2.0), "it is free")


@pytest.mark.parametrize("back", [-600, -86_400])
def test_a_live_holder_keeps_its_lease(world: World, clock: SteppedClock, back: int) -> None:
    ledger = world.ledger
    token = leases.acquire(ledger.store, ledger.keys, "reconcile", 30.0)
    clock.set(back)
    assert leases.acquire(ledger.store, ledger.keys, "reconcile", 30.0) is None
    assert leases.renew(ledger.store, ledger.keys, "reconcile", str(token), 30.0)
    assert leases.acquire(ledger.store, ledger.keys, "reconcile", 30.0) is None


@pytest.mark.parametrize("steps", STEPS)
def test_polls_go_on_at_their_pace(world: World, clock: SteppedClock, steps: list[int]) -> None:
    world.declare(world.trigger())
    assert poll(world.ctx, pace_seconds=3)
    for step in steps:
        clock.set(step)
        poll(world.ctx, pace_seconds=3)
    eventually(lambda: poll(world.ctx, pace_seconds=3), "a poll is due")
    began = time.monotonic()
    eventually(lambda: poll(world.ctx, pace_seconds=3), "the next one is due")
    assert time.monotonic() - began > 2, "no storm of polls"


def test_an_alarm_reports_times_that_run_ahead_until_they_do_not(world: World, clock: SteppedClock) -> None:
    world.declare(world.trigger())
    reconcile(world.ctx)
    clock.set(-3600)
    reconcile(world.ctx)
    alarms = world.ledger.history.alarms()
    assert "set back by 60 min." in alarms["Redis clock"]["text"]
    assert "within 16.0 h." in alarms["Redis clock"]["text"]
    clock.set(20 * 3600)  # so much time passes
    reconcile(world.ctx)
    assert world.ledger.history.alarms() == {}


def test_what_was_announced_and_recorded_before_is_not_waited_for_longer(world: World, clock: SteppedClock) -> None:
    """A draft whose enqueue was never confirmed is withdrawn, and cloned afresh."""
    granted(world)
    (firing,) = world.ledger.firings.claim("dispatch", 10, 2.0).firings
    draft = world.create_task("draft")
    world.ledger.firings.record(firing, draft)
    world.ledger.firings.withdraw(firing, draft)
    clock.set(-600)
    eventually(launches(world), "it is launched")
    assert list(world.runs().values()) == [1]
