"""Two live Redises with the same data, a promoted replica or a copy beside the old one: of two the later goes on."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import redis

from tests.conftest import redis_binaries
from tests.integration.service.conftest import ServiceWorld
from triggers.base.settings import Settings
from triggers.context import Context
from triggers.ledger import Store, connect, open_ledger
from triggers.ledger.deployment import schedulers
from triggers.local.redis_server import PrivateRedis
from triggers.stages.sync import sync
from triggers.sync import renewal
from triggers.sync.redis_lease import leases_in


@dataclass
class Side:
    """A Redis and the worker that serves the scheduler from it."""

    ctx: Context
    world: ServiceWorld

    def sync(self) -> None:
        assert sync(self.ctx, self.world.scheduler) is not None

    @property
    def serves(self) -> bool:
        return bool(schedulers.all_of(self.ctx.ledger.store.client))

    @property
    def alarm(self) -> str:
        return str(self.ctx.ledger.history.alarms().get(renewal.REDIS_ALARM, {}).get("text", ""))


def copied(source: redis.Redis, target: redis.Redis) -> None:
    for key in source.scan_iter():
        target.restore(key, 0, source.dump(key), replace=True)


@pytest.fixture
def second(tmp_path: Path) -> Iterator[redis.Redis]:
    server = PrivateRedis(tmp_path / "second", server=next(iter(redis_binaries().values())))
    client = connect(server.start())
    yield client
    client.close()
    server.stop()


@pytest.fixture
def sides(service_world: ServiceWorld, second: redis.Redis, settings: Settings) -> tuple[Side, Side]:
    """The old Redis, which has renewed its lease, and its copy, which has just been met."""
    world = service_world
    world.declare(world.trigger())
    world.sync()
    copied(world.ledger.store.client, second)
    ledger = open_ledger(Store(second), world.ledger.scheduler, settings)
    return Side(world.ctx, world), Side(replace(world.ctx, ledger=ledger, epoch=ledger.adopt_epoch()), world)


def test_the_higher_epoch_goes_on_and_both_say_so(
    sides: tuple[Side, Side], caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = sides
    assert new.ctx.epoch.number > old.ctx.epoch.number
    with caplog.at_level(logging.WARNING):
        new.sync()  # at once, whatever the copied memory says of the last renewal
    assert new.serves
    assert sum(f"epoch {new.ctx.epoch.number} of its data" in line for line in caplog.messages) == 1
    monkeypatch.setattr(renewal, "KEEP_SECONDS", 0.0)
    caplog.clear()
    old.sync()
    assert not old.serves
    assert f", epoch {new.ctx.epoch.number} (according to" in old.alarm
    assert caplog.messages.count(old.alarm) == 1
    new.sync()
    assert new.serves
    assert not new.alarm
    assert [one.run for one in leases_in([new.world.task()["runtime"]])] == [new.ctx.epoch.run_id]


def test_a_redis_that_was_only_restarted_worries_nobody(
    service_world: ServiceWorld, caplog: pytest.LogCaptureFixture
) -> None:
    """Its earlier run at the same address has ended: nothing has to step aside."""
    world = service_world
    world.declare(world.trigger())
    world.sync()
    earlier = world.ctx.epoch
    world.ledger.store.client.hset(world.ledger.keys.epoch, "run_id", "of before")
    world.ctx.begin_epoch()
    assert world.ctx.epoch.number > earlier.number
    with caplog.at_level(logging.WARNING):
        world.sync()
    assert not caplog.messages
    assert [one.run for one in leases_in([world.task()["runtime"]])] == [world.ctx.epoch.run_id]


def test_of_two_with_one_epoch_exactly_one_goes_on(sides: tuple[Side, Side], monkeypatch: pytest.MonkeyPatch) -> None:
    """Both were started anew at once: each has gone on to the same number."""
    monkeypatch.setattr(renewal, "KEEP_SECONDS", 0.0)
    first, second = sides
    first.ctx.ledger.store.client.hincrby(first.ctx.ledger.keys.epoch, "number", 1)
    first.ctx.begin_epoch()
    assert first.ctx.epoch.number == second.ctx.epoch.number
    for _ in range(4):
        first.world.tick()
        for side in sides:
            if side.serves:
                side.sync()
    assert [side.serves for side in sides].count(True) == 1


def test_a_dead_run_whose_end_redis_forgot_keeps_nobody_out(
    sides: tuple[Side, Side], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lease of a higher epoch that nobody renews is of a run that has ended."""
    old, new = sides
    new.sync()
    monkeypatch.setattr(renewal, "KEEP_SECONDS", 0.0)
    old.ctx.ledger.store.client.delete(old.ctx.ledger.keys.sync)  # a run that has renewed nothing yet
    for _ in range(3):
        old.sync()
    assert old.serves
    old.world.tick()
    new.sync()  # it lives after all
    old.sync()
    assert not old.serves
