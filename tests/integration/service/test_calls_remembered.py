"""The month's API calls are remembered where Redis comes back empty or older, and that costs no request."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import redis

from tests.integration.service.conftest import ServiceWorld
from tests.integration.service.test_inheritance import HomeWorld, _let_leases_run_out, home_world
from tests.integration.service.test_lease_at_rest import asked, resting
from tests.integration.service.test_old_backup import backup, restore
from triggers.base.errors import EpochChanged
from triggers.clearml_api.calls import TALLY
from triggers.ledger.api_budget import api_account
from triggers.ledger.api_budget.api_account import CallBook
from triggers.ledger.keys import shared
from triggers.sync import renewal
from triggers.sync.counted_calls import CountedCalls
from triggers.sync.saved_state import PROPERTY, Saved

__all__ = ["home_world", "resting"]


@pytest.fixture(autouse=True)
def _counted_from_nothing(redis_client: redis.Redis, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(api_account, "_now", lambda _: datetime(2026, 11, 15, tzinfo=UTC))
    TALLY.take()
    for key in redis_client.scan_iter(shared("api_*")):
        redis_client.delete(key)
    yield
    TALLY.take()


def book(world: ServiceWorld) -> CallBook:
    return world.ledger.calls


def made_before(world: ServiceWorld, number: int) -> None:
    book(world).settle({("poll", "tasks.get_all_ex", "ok"): number}, None)


def saved(world: ServiceWorld) -> CountedCalls | None:
    return CountedCalls.from_fields(Saved.from_json(world.task()["runtime"][PROPERTY]).calls)


def emptied(world: HomeWorld, monkeypatch: pytest.MonkeyPatch, then: int = 0) -> None:
    """Redis loses everything; calls are counted before the script registers again."""
    world.ledger.store.client.flushall()
    if then:
        made_before(world, then)
    with pytest.raises(EpochChanged):
        world.poll()
    world.ctx.begin_epoch()
    monkeypatch.setattr("triggers.sync.takeover.time.sleep", lambda _: _let_leases_run_out(world))
    world.come_home(world.trigger())


def test_an_emptied_redis_goes_on_counting(home_world: HomeWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    world = home_world
    world.come_home(world.trigger())
    made_before(world, 5000)
    world.fail_task()
    world.step()
    world.sync()
    known = saved(world)
    assert known is not None
    assert known.made == 5000
    emptied(world, monkeypatch, then=7)
    usage = book(world).usage()
    assert usage.made >= 5000
    assert usage.by("cause")["poll"] == 7
    assert usage.made == usage.by("cause")["restored"] + 7, "the parts are the whole"


def test_an_older_redis_goes_on_counting(service_world: ServiceWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(renewal, "KEEP_SECONDS", 0.0)
    world = service_world
    world.declare(world.trigger())
    made_before(world, 100)
    world.ctx.begin_epoch()
    world.step()
    old = backup(world.ledger.store.client)
    made_before(world, 900)
    world.fail_task()
    world.step()
    world.sync()
    world.ledger.store.client.hincrby(world.ledger.keys.epoch, "number", 1)
    world.ctx.begin_epoch()
    restore(world.ledger.store.client, old)
    world.ctx.begin_epoch()
    assert book(world).usage().made == 100
    world.sync()
    assert book(world).usage().made >= 1000


def test_a_restart_that_lost_nothing_counts_nothing_twice(
    service_world: ServiceWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(renewal, "KEEP_SECONDS", 0.0)
    world = service_world
    world.declare(world.trigger())
    made_before(world, 1000)
    world.step()
    world.sync()
    for _ in range(3):
        world.ledger.store.client.hset(world.ledger.keys.epoch, "run_id", "another")
        world.ctx.begin_epoch()
        assert world.ctx.epoch.number > 1
        world.sync()
    assert book(world).usage().made == 1000


@pytest.mark.sandbox_control
def test_the_count_alone_is_never_saved(resting: ServiceWorld) -> None:
    """Every poll changes it: it rides on what is saved for another reason."""
    for _ in range(5):
        made_before(resting, 1000)
        assert asked(resting) == 1, "the poll"
