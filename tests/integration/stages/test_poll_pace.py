"""When the next poll is due: slower after quiet minutes, at once faster after a change, as slow as the budget wants."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests.integration.stages.conftest import World
from triggers.ledger.api_budget import api_account
from triggers.rules.api_budget import LONGEST_POLL_SECONDS
from triggers.stages.poll import poll

#: Far apart, and far longer than a poll takes on a busy machine: it is due so long after the last began.
PACE, QUIET = 500.0, 2000.0
LATE, SOONER = 200.0, 1.0


def pause(world: World, **settings: int) -> float:
    """Poll now with the default pace; how long the next poll waits, seconds."""
    world.ledger.store.client.delete(world.ledger.keys.next_poll)
    assert poll(world.context(**settings), pace_seconds=PACE, quiet_seconds=QUIET) is not None
    return (world.ledger.waiting.next_poll_ms() - world.ledger.now_ms()) / 1000


def quiet_for(world: World, seconds: float) -> None:
    """Let the last change be so long ago."""
    client, epoch = world.ledger.store.client, world.ledger.keys.epoch
    for field in ("changed_ms", "first_polled_ms"):
        client.hset(epoch, field, int(world.ledger.now_ms() - seconds * 1000))


def test_polls_slow_down_while_nothing_changes_and_are_fast_again_at_the_first_change(world: World) -> None:
    world.declare(world.trigger())
    assert PACE - LATE < pause(world) <= PACE + SOONER
    pause(world)  # the base task is news to it
    quiet_for(world, 600)
    assert QUIET - LATE < pause(world) <= QUIET + SOONER
    assert poll(world.ctx, pace_seconds=PACE, quiet_seconds=QUIET) is None
    world.fail_task()
    assert PACE - LATE < pause(world) <= PACE + SOONER


def test_a_pace_that_was_chosen_is_kept_however_quiet_it_is(world: World) -> None:
    world.declare(world.trigger())
    quiet_for(world, 10_000)
    assert poll(world.ctx, pace_seconds=PACE, force=True) is not None
    waits = (world.ledger.waiting.next_poll_ms() - world.ledger.now_ms()) / 1000
    assert PACE - LATE < waits <= PACE + SOONER


@pytest.fixture
def first_of_a_month(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api_account, "_now", lambda _: datetime(2026, 11, 1, tzinfo=UTC))


@pytest.mark.usefixtures("first_of_a_month")
@pytest.mark.parametrize(("limit", "seconds"), [(1, LONGEST_POLL_SECONDS), (10**9, PACE)])
def test_polls_wait_longer_where_calls_are_short(world: World, limit: int, seconds: float) -> None:
    world.declare(world.trigger())
    waits = pause(world, api_calls_per_month=limit)
    assert seconds - LATE < waits <= seconds + SOONER
    assert poll(world.context(api_calls_per_month=limit), pace_seconds=PACE) is None


def test_a_limit_that_is_lifted_makes_polls_fast_again(world: World) -> None:
    world.declare(world.trigger())
    pause(world, api_calls_per_month=1)
    assert poll(world.ctx, pace_seconds=PACE, quiet_seconds=QUIET) is not None
