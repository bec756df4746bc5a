"""A backup put back into the very run and epoch in which it was made: nothing in the data tells that it is older."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.integration.service.conftest import ServiceWorld
from tests.integration.service.test_old_backup import backup, is_paused, restore, set_pause
from triggers.base.errors import EpochChanged
from triggers.context import Context
from triggers.ledger import Store, open_ledger
from triggers.model import Trigger
from triggers.sync import renewal, takeover


@pytest.fixture
def restored(service_world: ServiceWorld, monkeypatch: pytest.MonkeyPatch) -> tuple[ServiceWorld, Trigger, str, int]:
    """An object was launched, and a trigger paused, since the backup. The number of the epoch is the same."""
    world = service_world
    monkeypatch.setattr(renewal, "KEEP_SECONDS", 0.0)
    paused, running = world.trigger(name="paused"), world.trigger(name="running")
    world.declare(paused, running)
    world.ctx.begin_epoch()
    world.step()
    world.sync()
    failed = world.fail_task()
    world.poll()
    number = world.ctx.epoch.number
    old = backup(world.ledger.store.client)
    world.settle()
    assert sorted(world.runs().values()) == [1, 1]
    set_pause(world, paused, True)
    world.tick()
    world.sync()
    world.ledger.store._look_at = 0.0  # a second later
    world.poll()
    restore(world.ledger.store.client, old)
    assert world.ledger.store.client.hget(world.ledger.keys.epoch, "number") == str(number)
    assert not is_paused(world, paused)
    return world, paused, failed, number


def stranger(world: ServiceWorld) -> Context:
    """A worker process that was started after the backup had been put back, and has seen nothing else."""
    ledger = open_ledger(Store(world.ledger.store.client), world.ledger.scheduler, world.settings)
    return replace(world.ctx, ledger=ledger, epoch=ledger.adopt_epoch())


def settle_all(world: ServiceWorld, ctx: Context) -> None:
    for _ in range(4):
        world.expire_leases()
        for partition in ctx.ledger.reading.waiting_partitions():
            world.hints.partitions.append(partition)
        world.hints.dispatches += 1
        world.settle(ctx)


def test_a_worker_that_has_seen_more_refuses_it(restored: tuple[ServiceWorld, Trigger, str, int]) -> None:
    world, paused, _, number = restored
    with pytest.raises(EpochChanged, match="older state"):
        world.poll()
    world.ctx.begin_epoch()
    assert world.ctx.epoch.number == number + 1
    settle_all(world, world.ctx)
    assert is_paused(world, paused)
    assert sorted(world.runs().values()) == [1, 1], "what was launched since is found by its key"


def test_the_service_task_tells_a_worker_that_has_seen_nothing(
    restored: tuple[ServiceWorld, Trigger, str, int],
) -> None:
    world, paused, _, number = restored
    ctx = stranger(world)
    assert ctx.epoch.number == number, "nothing in the data tells"
    world.ctx = ctx
    world.ledger = ctx.ledger
    world.sync()
    assert ctx.epoch.number == number + 1
    assert is_paused(world, paused)
    settle_all(world, ctx)
    assert sorted(world.runs().values()) == [1, 1]


def test_the_service_task_tells_a_script_that_starts(restored: tuple[ServiceWorld, Trigger, str, int]) -> None:
    world, _, _, number = restored
    ctx = stranger(world)
    takeover.take_over(ctx, world.scheduler)
    assert ctx.epoch.number == number + 1


def test_a_lease_of_before_says_nothing_of_another_run(restored: tuple[ServiceWorld, Trigger, str, int]) -> None:
    """The counter of another run, or of other data, is another one."""
    world, _, _, number = restored
    world.ledger.store.client.hset(world.ledger.keys.epoch, "nonce", "another")
    ctx = stranger(world)
    takeover.take_over(ctx, world.scheduler)
    assert ctx.epoch.number == number
