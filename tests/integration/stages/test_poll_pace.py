"""When the next poll is due: slower after quiet minutes, at once faster after a change, as slow as the budget wants."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests.integration.stages.conftest import World
from triggers.ledger.api_budget import api_account
from triggers.rules.api_budget import LONGEST_POLL_SECONDS
from triggers.stages.poll import poll


def pause(world: World, **settings: int) -> float:
    """Poll now with the default pace; how long the next poll waits, seconds."""
    world.ledger.store.client.delete(world.ledger.keys.next_poll)
    assert poll(world.context(**settings), pace_seconds=5.0, quiet_seconds=30.0) is not None
    return (world.ledger.waiting.next_poll_ms() - world.ledger.now_ms()) / 1000


def quiet_for(world: World, seconds: float) -> None:
    """Let the last change be so long ago."""
    client, epoch = world.ledger.store.client, world.ledger.keys.epoch
    for field in ("changed_ms", "first_polled_ms"):
        client.hset(epoch, field, int(world.ledger.now_ms() - seconds * 1000))


def test_polls_slow_down_while_nothing_changes_and_are_fast_again_at_the_first_change(world: World) -> None:
    world.declare(world.trigger())
    assert 4 < pause(world) <= 5.3
    pause(world)  # the base task is news to it
    quiet_for(world, 600)
    assert 29 < pause(world) <= 30.3
    assert poll(world.ctx, pace_seconds=5.0, quiet_seconds=30.0) is None
    world.fail_task()
    assert 4 < pause(world) <= 5.3


def test_a_pace_that_was_chosen_is_kept_however_quiet_it_is(world: World) -> None:
    world.declare(world.trigger())
    quiet_for(world, 10_000)
    assert poll(world.ctx, pace_seconds=5.0, force=True) is not None
    assert 4 < (world.ledger.waiting.next_poll_ms() - world.ledger.now_ms()) / 1000 <= 5.3


@pytest.fixture
def first_of_a_month(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api_account, "_now", lambda _: datetime(2026, 11, 1, tzinfo=UTC))


@pytest.mark.usefixtures("first_of_a_month")
@pytest.mark.parametrize(("limit", "at_least"), [(1, LONGEST_POLL_SECONDS - 1), (10**9, 4)])
def test_polls_wait_longer_where_calls_are_short(world: World, limit: int, at_least: float) -> None:
    world.declare(world.trigger())
    waits = pause(world, api_calls_per_month=limit)
    assert at_least < waits <= max(5.3, at_least + 2)
    assert poll(world.context(api_calls_per_month=limit), pace_seconds=5.0) is None


def test_a_limit_that_is_lifted_makes_polls_fast_again(world: World) -> None:
    world.declare(world.trigger())
    pause(world, api_calls_per_month=1)
    assert poll(world.ctx, pace_seconds=5.0, quiet_seconds=30.0) is not None
