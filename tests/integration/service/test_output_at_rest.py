"""What Redis sends while nothing happens does not grow with the number of triggers."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

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


def test_a_hundred_times_the_triggers_make_no_difference(service_world: ServiceWorld) -> None:
    world = service_world
    world.declare(*(world.trigger(name=f"few {n}") for n in range(5)))
    world.sync()
    few = sent(world)
    world.declare(*(world.trigger(name=f"many {n}") for n in range(500)))
    world.sync()
    assert sent(world) < few + 100, "only numbers that have become longer"


def test_nor_for_what_is_done_for_the_service_task_now_and_then(service_world: ServiceWorld) -> None:
    world = service_world
    world.declare(*(world.trigger(name=f"few {n}") for n in range(5)))
    world.sync()
    few = sent_for_the_lease(world)
    world.declare(*(world.trigger(name=f"many {n}") for n in range(500)))
    world.sync()
    assert sent_for_the_lease(world) < few + 500, "not a byte for each of them"
