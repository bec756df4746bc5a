"""An old backup of Redis restored: what a person paused since stays paused, as far as the service task says so."""

from __future__ import annotations

from dataclasses import replace

import pytest
import redis

from tests.integration.service.conftest import ServiceWorld
from triggers.model import Trigger
from triggers.sync import renewal


def backup(client: redis.Redis) -> dict[str, bytes]:
    raw = redis.Redis(connection_pool=client.connection_pool)
    return {key: raw.dump(key) for key in raw.scan_iter()}


def restore(client: redis.Redis, kept: dict[str, bytes]) -> None:
    client.flushall()
    for key, value in kept.items():
        client.restore(key, 0, value)


def set_pause(world: ServiceWorld, trigger: Trigger, paused: bool) -> None:
    world.ledger.registry.edit(lambda known, _: {trigger.id: replace(known.entries[trigger.id], paused=paused)})


@pytest.fixture
def restored(service_world: ServiceWorld) -> tuple[ServiceWorld, Trigger, Trigger]:
    """A backup of before one of two triggers was paused; the pause has been saved. Redis' workers lived on."""
    world = service_world
    paused, running = world.trigger(), world.trigger(name="running", trigger_on_status=["completed"])
    world.declare(paused, running)
    world.ctx.begin_epoch()
    world.step()
    old = backup(world.ledger.store.client)
    world.ctx.begin_epoch()
    set_pause(world, paused, True)
    world.tick()
    world.sync()
    world.ledger.store.client.hincrby(world.ledger.keys.epoch, "number", 1)  # a failover since the backup
    world.ctx.begin_epoch()
    restore(world.ledger.store.client, old)
    world.ctx.begin_epoch()
    assert not world.ledger.registry.snapshot().entries[paused.id].paused
    assert not world.ctx.epoch.recalled
    return world, paused, running


def is_paused(world: ServiceWorld, trigger: Trigger) -> bool:
    return world.ledger.registry.snapshot().entries[trigger.id].paused


def test_nothing_of_it_is_launched_before_the_pause_is_known_again(
    restored: tuple[ServiceWorld, Trigger, Trigger],
) -> None:
    world, paused, running = restored
    failed = world.fail_task()
    world.step()
    assert not world.runs()
    assert is_paused(world, paused)
    assert not is_paused(world, running)
    assert [firing.object for firing in world.ledger.operations.held(f"pause:{paused.id}")] == [failed]


def test_it_is_known_before_the_next_save(
    restored: tuple[ServiceWorld, Trigger, Trigger], monkeypatch: pytest.MonkeyPatch
) -> None:
    world, paused, running = restored
    monkeypatch.setattr(renewal, "KEEP_SECONDS", 0.0)
    world.sync()
    assert is_paused(world, paused)
    assert not is_paused(world, running)
    assert world.ctx.epoch.recalled


def test_what_is_resumed_afterwards_stays_resumed(
    restored: tuple[ServiceWorld, Trigger, Trigger], monkeypatch: pytest.MonkeyPatch
) -> None:
    world, paused, _ = restored
    monkeypatch.setattr(renewal, "KEEP_SECONDS", 0.0)
    world.sync()
    assert is_paused(world, paused)
    set_pause(world, paused, False)
    world.fail_task()
    world.step()
    world.sync()
    assert not is_paused(world, paused)
    assert world.ledger.operations.held(f"pause:{paused.id}") == []
