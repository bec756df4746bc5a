"""What a hint needs to know is at hand: its stage begins without a trip to Redis."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
import redis

from tests.integration.robustness.test_credentials import enter, runtime
from tests.integration.stages.conftest import World
from tests.integration.trips import Trips, trips
from triggers.ledger.deployment import schedulers
from triggers.ledger.deployment.schedulers import Scheduler
from workers import at_hand
from workers.at_hand import Records, Refresher

__all__ = ["runtime", "trips"]


def ran(runtime: Any, record: Scheduler) -> Callable[[], object]:
    return lambda: runtime.run(record.id, lambda ctx: "ran")


def refreshed(runtime: Any) -> None:
    Refresher(runtime.records.refresh, runtime._settle).once()


def test_a_hint_costs_no_trip_before_its_stage(world: World, runtime: Any, trips: Trips) -> None:
    record = enter(world)
    assert ran(runtime, record)() == "ran"
    assert trips(ran(runtime, record)) >= 1, "nobody refreshes"
    refreshed(runtime)
    assert trips(ran(runtime, record)) == 0


def test_a_scheduler_that_was_removed_is_left_alone(world: World, runtime: Any) -> None:
    record = enter(world)
    assert ran(runtime, record)() == "ran"
    refreshed(runtime)
    schedulers.remove(world.ledger.store.client, record.id)
    refreshed(runtime)
    assert ran(runtime, record)() is None


def test_what_was_asked_long_ago_is_asked_again(world: World, runtime: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    record = enter(world)
    assert ran(runtime, record)() == "ran"
    refreshed(runtime)
    schedulers.remove(world.ledger.store.client, record.id)
    monkeypatch.setattr(at_hand, "FRESH_SECONDS", 0.0)
    assert ran(runtime, record)() is None


def test_a_redis_that_does_not_answer_is_asked_again(
    world: World, runtime: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = enter(world)
    assert ran(runtime, record)() == "ran"

    def gone(*_: object, **__: object) -> None:
        raise redis.ConnectionError("gone")

    with monkeypatch.context() as down:
        down.setattr(redis.connection.AbstractConnection, "send_packed_command", gone)
        refreshed(runtime)
    refreshed(runtime)
    assert ran(runtime, record)() == "ran"


def test_another_process_is_heard_before_a_stage(world: World, runtime: Any) -> None:
    """A pause that the server asked of one process, and that this one learns without having anything to do."""
    from triggers.ledger.api_budget.api_account import CallBook, SharedPause

    record = enter(world)
    assert runtime.run(record.id, lambda ctx: ctx.api.pause_seconds) == 0
    CallBook(runtime.client).share_pause(SharedPause(60.0, 1, "too many"), runtime.identity.api.shown_host)
    refreshed(runtime)
    assert runtime.run(record.id, lambda ctx: ctx.api.pause_seconds) > 50


def test_a_record_that_no_hint_was_about_for_long_is_asked_for_no_more(
    world: World, runtime: Any, trips: Trips, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = enter(world)
    assert ran(runtime, record)() == "ran"
    assert trips(runtime.records.refresh) == 1
    monkeypatch.setattr(at_hand, "KEPT_SECONDS", 0.0)
    assert trips(runtime.records.refresh) == 0


def test_the_thread_goes_on_whatever_fails() -> None:
    calls, three = list[int](), threading.Event()

    def fails() -> None:
        calls.append(1)
        if len(calls) >= 3:
            three.set()
        raise (redis.ConnectionError("gone") if len(calls) % 2 else ValueError("a fault"))

    refresher = Refresher(fails)
    refresher.begin()
    try:
        assert three.wait(60)
    finally:
        refresher.end()


def test_records_are_of_those_that_hints_were_about(world: World) -> None:
    one, other = enter(world), enter(world, workspace="another")
    records = Records(world.ledger.store.client, world.settings)
    assert records.of(one.id) == (one, None)
    records.refresh()
    schedulers.remove(world.ledger.store.client, one.id)
    assert records.of(one.id) == (one, None), "at hand"
    assert records.of(other.id) == (other, None), "asked for"
    assert records.of("0" * 16) == (None, None)
