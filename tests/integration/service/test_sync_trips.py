"""A turn of sync that finds nothing to do is over after three trips to Redis, however many triggers there are."""

from __future__ import annotations

from dataclasses import replace

from tests.integration.service.conftest import ServiceWorld
from tests.integration.trips import Trips, trips
from triggers.stages.sync import sync

__all__ = ["trips"]


def test_an_idle_turn_makes_three(service_world: ServiceWorld, trips: Trips) -> None:
    world = service_world
    world.declare(*(world.trigger(name=f"t{n}", trigger_project="P") for n in range(20)))
    world.step()
    world.sync()
    resting = replace(world.scheduler, sync_seconds=600.0)
    assert sync(world.ctx, resting) is not None
    assert trips(lambda: sync(world.ctx, resting)) == 3


def test_reading_sections_that_say_the_same_makes_five(service_world: ServiceWorld, trips: Trips) -> None:
    world = service_world
    world.declare(world.trigger())
    world.sync()
    world.sync()
    assert trips(world.sync) <= 5


def test_what_happened_is_reported_although_nothing_else_has_changed(service_world: ServiceWorld) -> None:
    world = service_world
    world.declare(world.trigger())
    world.step()
    resting = replace(world.scheduler, sync_seconds=600.0)
    world.sync()
    lines = len(world.console())
    world.fail_task()
    world.step()
    done = sync(world.ctx, resting)
    assert done is not None
    assert done.reports
    assert len(world.console()) > lines
