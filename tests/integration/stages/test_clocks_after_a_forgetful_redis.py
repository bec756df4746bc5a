"""Redis comes back without its last seconds while clocks are wrong: what was launched in them is found, not doubled."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.integration.stages.conftest import World
from tests.property.stages.redis_copies import Copy, copy_of, put_copy


def on_disk(world: World) -> Copy:
    """What Redis would come back with now."""
    return copy_of(world.ledger.store.client)


def comes_back(world: World, disk: Copy) -> None:
    """Another run of Redis, with what was on disk."""
    client = world.ledger.store.client
    put_copy(client, disk)
    client.hset(world.ledger.keys.epoch, "run_id", "0" * 40)
    world.ctx = world.context()
    assert world.ctx.epoch.number == 2


def stamped_ahead(world: World, seconds: int, **fields: Any) -> str:
    """An object whose change is stamped by a replica that is ahead of the one that polls are answered by."""
    control = world.sandbox.control
    before = control.clock()["offset_seconds"]
    control.clock(offset_seconds=before + seconds)
    task = world.fail_task(**fields)
    control.clock(offset_seconds=before)
    return task


@pytest.mark.parametrize("ahead", [90, 600])
def test_a_stamping_replica_that_is_ahead_doubles_nothing(world: World, ahead: int) -> None:
    world.declare(world.trigger())
    world.step()
    disk = on_disk(world)
    stamped_ahead(world, ahead)
    world.step()
    assert list(world.runs().values()) == [1]
    comes_back(world, disk)
    world.step()
    world.step()
    assert list(world.runs().values()) == [1]
    assert world.history("launched")[0].reason == "found by its key"
    new = world.fail_task()
    world.step()
    assert len(world.runs()) == 2, new


def test_a_backlog_of_matching_of_more_than_fifteen_minutes_doubles_nothing(world: World) -> None:
    """It was read in time, and is matched long after: when it was read counts, and not when it is granted."""
    world.declare(world.trigger())
    world.step()
    disk = on_disk(world)
    stamped_ahead(world, 90)
    world.step()
    comes_back(world, disk)
    world.poll()
    client, keys = world.ledger.store.client, world.ledger.keys
    client.hincrby(keys.epoch, "first_polled_ms", -3_600_000)  # an hour passes without a matcher
    world.ctx = world.context()
    world.settle()
    assert list(world.runs().values()) == [1]
    assert world.history("launched")[0].reason == "found by its key"


@pytest.mark.parametrize("ahead", [120, -3600])
def test_a_worker_whose_clock_is_wrong_neither_doubles_nor_waits(
    world: World, monkeypatch: pytest.MonkeyPatch, ahead: int
) -> None:
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + ahead)
    world.declare(world.trigger())
    world.step()
    disk = on_disk(world)
    world.fail_task()
    world.step()
    assert list(world.runs().values()) == [1], "at once"
    comes_back(world, disk)
    world.step()
    world.fail_task()
    world.step()
    assert sorted(world.runs().values()) == [1, 1]
