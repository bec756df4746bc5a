"""A Redis that is set to evict keys while workers run: an alarm says so until the policy is right again."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from tests.integration.stages.conftest import World
from triggers.ledger.deployment.schedulers import Scheduler
from triggers.ledger.history import alarms
from triggers.stages.notify import _lasting


@pytest.fixture
def redis_of(world: World) -> Iterator[World]:
    """A world whose Redis is as before afterwards: other tests use it."""
    yield world
    configure(world, policy="noeviction", most="0")


def configure(world: World, *, policy: str, most: str) -> None:
    world.ledger.store.client.config_set("maxmemory", most)
    world.ledger.store.client.config_set("maxmemory-policy", policy)


def after_a_minute(world: World) -> dict[str, str]:
    """The alarms that are set when a poll worker has looked next."""
    world.ctx.forgot_at -= 61.0
    world.reconcile()
    return {name: str(alarm["text"]) for name, alarm in world.ledger.history.alarms().items()}


def test_a_policy_that_evicts_is_an_alarm_and_a_notice_until_it_is_set_back(
    redis_of: World, caplog: pytest.LogCaptureFixture
) -> None:
    world = redis_of
    world.declare(world.trigger())
    assert after_a_minute(world) == {}
    configure(world, policy="allkeys-lru", most="512mb")
    with caplog.at_level(logging.WARNING):
        found = after_a_minute(world)[alarms.EVICTION.name]
        after_a_minute(world)
    assert "when its 512 MiB are full, it evicts keys (maxmemory-policy is allkeys-lru)" in found
    assert "set maxmemory-policy to noeviction" in found
    assert sum("allkeys-lru" in record.getMessage() for record in caplog.records) == 1
    snapshot = world.ledger.registry.snapshot()
    shown = Scheduler(world.sandbox.url, "w", "DevOps", "Scheduler", 5.0, service_task=world.service)
    assert alarms.EVICTION.name in _lasting(world.ctx, shown, snapshot)
    configure(world, policy="noeviction", most="512mb")
    assert after_a_minute(world) == {}


def test_a_redis_without_a_limit_evicts_nothing(redis_of: World) -> None:
    world = redis_of
    world.declare(world.trigger())
    configure(world, policy="allkeys-lru", most="0")
    assert after_a_minute(world) == {}
