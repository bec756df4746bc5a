"""What Redis sends while nothing happens does not grow with the number of triggers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.integration.service.conftest import ServiceWorld
from triggers.stages.clock import clock
from triggers.stages.notify import notify
from triggers.stages.sync import sync

ROUNDS = 5


def so_far(world: ServiceWorld) -> int:
    """Bytes that Redis has sent."""
    stats: Any = world.ledger.store.client.info("stats")
    return int(stats["total_net_output_bytes"])


def sent(world: ServiceWorld) -> float:
    """Bytes that Redis sends for a round of all ticks."""
    resting = replace(world.scheduler, sync_seconds=600.0)

    def tick() -> None:
        world.poll()
        world.reconcile()
        sync(world.ctx, resting)
        notify(world.ctx, resting)
        clock(world.ctx)

    for _ in range(2):  # what is done once
        tick()
    before = so_far(world)
    for _ in range(ROUNDS):
        tick()
    return (so_far(world) - before) / ROUNDS


def sent_for_the_lease(world: ServiceWorld) -> float:
    """Bytes that Redis sends for a turn of sync that compares the clocks, looks, renews, and saves the state."""
    resting = replace(world.scheduler, sync_seconds=600.0)
    found = []
    for _ in range(ROUNDS):
        for name in ("kept_ms", "checked_ms", "pinged_ms", "written_ms"):
            world.ledger.store.client.hset(world.ledger.keys.sync, name, "0")
        before = so_far(world)
        assert sync(world.ctx, resting) is not None
        assert int(world.ledger.syncing.read(("written_ms",))["written_ms"]) > 0, "it was written"
        found.append(so_far(world) - before)
    return min(found)


@pytest.mark.parametrize(
    ("measure", "longer"),
    [
        pytest.param(sent, 100, id="all ticks, but for numbers that have become longer"),
        pytest.param(sent_for_the_lease, 500, id="what is done for the service task now and then"),
    ],
)
def test_a_hundred_times_the_triggers_make_no_difference(
    service_world: ServiceWorld, measure: Callable[[ServiceWorld], float], longer: int
) -> None:
    world = service_world
    world.declare(*(world.trigger(name=f"few {n}") for n in range(5)))
    world.sync()
    few = measure(world)
    world.declare(*(world.trigger(name=f"many {n}") for n in range(500)))
    world.sync()
    assert measure(world) < few + longer
