"""Counts and paces in Redis that are not numbers: they are counted anew, and no stage stops at them."""

from __future__ import annotations

import pytest

from tests.integration.stages.conftest import World
from triggers.stages.poll import poll


@pytest.mark.parametrize("damage", ["much", "", "-", "nan ms"])
def test_a_damaged_count_stops_neither_match_nor_dispatch(world: World, damage: str) -> None:
    one = world.trigger(policy={"max_per_minute": 2})
    world.declare(one)
    client, keys = world.ledger.store.client, world.ledger.keys
    world.fail_task()
    world.step()
    client.hset(keys.tallies, f"granted {one.id}", damage)
    client.hset(keys.pace(one.id), "count", damage)
    for _ in range(3):
        world.fail_task()
        world.step()
    assert len(world.clones(status=["queued"])) == 1 + 2, "the limit of the minute is counted anew"
    assert {tally.what: tally.count for tally in world.ledger.history.tallies()}["granted"] == 3


@pytest.mark.parametrize("damage", ["soon", ""])
def test_a_damaged_time_of_the_next_poll_is_now(world: World, damage: str) -> None:
    world.declare(world.trigger())
    world.ledger.store.client.set(world.ledger.keys.next_poll, damage)
    assert poll(world.ctx, pace_seconds=60) is not None
    assert poll(world.ctx, pace_seconds=60) is None
