"""At rest nobody renews the lease: polls show its holder that another Redis came, and it answers then."""

from __future__ import annotations

from dataclasses import replace

import pytest
import redis

from tests.integration.service.conftest import ServiceWorld
from tests.integration.service.test_two_redises import Side, copied, second
from triggers.base.errors import Usage
from triggers.base.settings import Settings
from triggers.ledger import Store, open_ledger
from triggers.ledger.deployment import schedulers
from triggers.model.launch_tags import service_tag
from triggers.sync import takeover
from triggers.sync.redis_lease import leases_in

__all__ = ["second"]

pytestmark = pytest.mark.sandbox_control


def later(world: ServiceWorld, *more: str) -> None:
    """Let the last look, save and change be half a minute longer ago; of comparing clocks `more` says so."""
    client, keys = world.ledger.store.client, world.ledger.keys
    for field in ("kept_ms", "checked_ms", "written_ms", *more):
        client.hincrby(keys.sync, field, -30_000)
    for field in ("changed_ms", "first_polled_ms"):
        client.hincrby(keys.epoch, field, -30_000)


def asked(world: ServiceWorld) -> int:
    """Requests of the next poll and turn of sync."""
    before = sum(world.sandbox.control.counts().values())
    later(world)
    world.poll()
    world.sync()
    return sum(world.sandbox.control.counts().values()) - before


def settle(world: ServiceWorld, requests: int) -> None:
    """Go on until a poll and a turn of sync make these requests, twice in a row, after a few at most."""
    made: list[int] = []
    while made[-2:] != [requests] * 2:
        assert len(made) < 8, made
        made.append(asked(world))


@pytest.fixture
def resting(service_world: ServiceWorld) -> ServiceWorld:
    """A scheduler that nothing has happened to for a while."""
    world = service_world
    world.scheduler = replace(world.scheduler, sync_seconds=900.0)
    world.declare(world.trigger())
    world.sync()
    settle(world, 1)
    return world


def newcomer(world: ServiceWorld, client: redis.Redis, settings: Settings) -> Side:
    ledger = open_ledger(Store(client), world.ledger.scheduler, settings)
    schedulers.put(client, world.scheduler)
    return Side(replace(world.ctx, ledger=ledger, epoch=ledger.adopt_epoch()), world)


def test_a_poll_is_all_that_is_asked(resting: ServiceWorld) -> None:
    assert [asked(resting) for _ in range(5)] == [1] * 5


def test_the_clocks_are_compared_all_the_same(resting: ServiceWorld) -> None:
    for _ in range(3):
        later(resting, "pinged_ms")
    assert [asked(resting) for _ in range(3)] == [3, 1, 1], "the ping is known to the look after it"


def test_of_other_schedulers_nothing_is_asked(resting: ServiceWorld) -> None:
    """Each sees the service tasks of all."""
    other = resting.create_task(name="of another scheduler")
    resting.call("tasks.edit", task=other, system_tags=[service_tag("another")], force=True)
    asked(resting)
    for _ in range(3):
        resting.call("tasks.ping", task=other)
        assert asked(resting) == 1


def test_what_a_person_does_to_the_service_task_is_looked_at_once(resting: ServiceWorld) -> None:
    resting.call("tasks.edit", task=resting.service, comment="mine", force=True)
    assert asked(resting) > 1
    settle(resting, 1)
    assert [asked(resting) for _ in range(3)] == [1] * 3


def test_what_happened_is_saved_and_then_it_rests_again(resting: ServiceWorld) -> None:
    before = resting.sandbox.control.counts()["tasks.edit_runtime"]
    resting.fail_task()
    resting.step()
    asked(resting)
    assert resting.sandbox.control.counts()["tasks.edit_runtime"] == before + 1
    settle(resting, 1)  # but for a look at the launched task every 15 s


def test_a_start_with_another_redis_is_refused_by_the_next_poll_of_the_holder(
    resting: ServiceWorld, second: redis.Redis, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited = 0.0

    def holder_goes_on(seconds: float) -> None:
        nonlocal waited
        waited += seconds
        resting.sandbox.control.clock(offset_seconds=waited)
        later(resting)
        resting.poll()
        resting.sync()

    monkeypatch.setattr(takeover.time, "sleep", holder_goes_on)
    other = newcomer(resting, second, settings)
    with pytest.raises(Usage, match="already serves the scheduler"):
        takeover.take_over(other.ctx, resting.scheduler)
    assert waited <= 4
    settle(resting, 1)  # who was refused is answered once
    assert [asked(resting) for _ in range(3)] == [1] * 3


def test_a_start_goes_on_where_the_holder_is_dead_and_that_one_steps_aside_should_it_live(
    resting: ServiceWorld, second: redis.Redis, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    ahead = 0.0

    def pass_time(seconds: float) -> None:
        nonlocal ahead
        ahead += max(seconds, 5.0)
        resting.sandbox.control.clock(offset_seconds=ahead)

    monkeypatch.setattr(takeover.time, "sleep", pass_time)
    other = newcomer(resting, second, settings)
    takeover.take_over(other.ctx, resting.scheduler)
    (lease,) = leases_in([resting.task()["runtime"]])
    assert lease.instance == other.ctx.ledger.homes.instance()
    assert ahead <= 60, "a holder that polls every second answers sooner"
    assert schedulers.all_of(resting.ledger.store.client)
    for _ in range(4):
        pass_time(5.0)
        later(resting)
        resting.poll()
        if schedulers.all_of(resting.ledger.store.client):
            resting.sync()
        other.ctx.ledger.store.client.delete(other.ctx.ledger.keys.next_poll)
        resting.tick()
        resting.step(other.ctx)
        for field in ("kept_ms", "checked_ms", "written_ms"):
            second.hincrby(other.ctx.ledger.keys.sync, field, -30_000)
        other.sync()
    assert not schedulers.all_of(resting.ledger.store.client)
    assert other.serves


def test_a_promoted_replica_is_seen_by_the_next_poll(
    resting: ServiceWorld, second: redis.Redis, settings: Settings
) -> None:
    copied(resting.ledger.store.client, second)
    ledger = open_ledger(Store(second), resting.ledger.scheduler, settings)
    new = Side(replace(resting.ctx, ledger=ledger, epoch=ledger.adopt_epoch()), resting)
    new.sync()
    later(resting)
    resting.poll()
    resting.sync()
    assert not schedulers.all_of(resting.ledger.store.client)
    assert new.serves


def test_a_scheduler_that_polls_no_tasks_looks_once_a_poll_at_most(service_world: ServiceWorld) -> None:
    world = service_world
    world.scheduler = replace(world.scheduler, sync_seconds=900.0)
    world.declare(world.trigger("model", trigger_on_publish=True))
    world.sync()
    settle(world, 2)
    assert [asked(world) for _ in range(5)] == [2] * 5
