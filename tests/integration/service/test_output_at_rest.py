"""What Redis sends while nothing happens does not grow with the number of triggers."""

from __future__ import annotations

from dataclasses import replace

from tests.integration.service.conftest import ServiceWorld
from triggers.stages.clock import clock
from triggers.stages.notify import notify
from triggers.stages.sync import sync

ROUNDS = 5


def sent(world: ServiceWorld) -> float:
    """Bytes that Redis sends for a round of all ticks."""
    client, resting = world.ledger.store.client, replace(world.scheduler, sync_seconds=600.0)

    def so_far() -> int:
        return int(client.info("stats")["total_net_output_bytes"])

    def tick() -> None:
        world.poll()
        world.reconcile()
        sync(world.ctx, resting)
        notify(world.ctx, resting)
        clock(world.ctx)

    for _ in range(2):  # what is done once
        tick()
    before = so_far()
    for _ in range(ROUNDS):
        tick()
    return (so_far() - before) / ROUNDS


def test_a_hundred_times_the_triggers_make_no_difference(service_world: ServiceWorld) -> None:
    world = service_world
    world.declare(*(world.trigger(name=f"few {n}") for n in range(5)))
    world.sync()
    few = sent(world)
    world.declare(*(world.trigger(name=f"many {n}") for n in range(500)))
    world.sync()
    assert sent(world) < few + 100, "only numbers that have become longer"
