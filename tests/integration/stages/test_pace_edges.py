"""Edges of the default pace: what makes polls fast again, and what does not keep them from being slow."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from tests.integration.stages.conftest import World
from tests.integration.stages.many import others
from triggers.base.errors import ServerUnavailable
from triggers.context import Context
from triggers.ledger.api_budget import api_account
from triggers.model.launch_tags import service_tag
from triggers.rules.pace import BUSY_SECONDS, QUIET_POLL_SECONDS, QUIET_SECONDS
from triggers.stages.clock import clock
from triggers.stages.poll import poll

pytestmark = pytest.mark.sandbox_control

PACE = 5.0
#: So long after a poll at the slow pace the next one is due: the ledger's clock falls back by a sixteenth.
SLOW = QUIET_POLL_SECONDS + 4


def passes(world: World, seconds: float, ctx: Context | None = None) -> None:
    """Let time pass by the ledger's clock, and that of the server."""
    world.sandbox.control.clock(offset_seconds=world.sandbox.control.clock()["offset_seconds"] + seconds)
    ledger = (ctx or world.ctx).ledger
    ledger.store.client.hincrby(ledger.keys.epoch, "ahead_ms", int(1000 * seconds))


def polls(ctx: Context, quiet: float = QUIET_POLL_SECONDS) -> bool:
    return poll(ctx, pace_seconds=PACE, quiet_seconds=quiet) is not None


def wait(world: World, ctx: Context | None = None) -> float:
    """Until the next poll is due, seconds."""
    ledger = (ctx or world.ctx).ledger
    return (ledger.waiting.next_poll_ms() - ledger.now_ms()) / 1000


def is_slow(world: World, ctx: Context | None = None) -> bool:
    return 2 * PACE < wait(world, ctx) <= QUIET_POLL_SECONDS + 0.3  # less as long as the poll took


def is_fast(world: World, ctx: Context | None = None) -> bool:
    return wait(world, ctx) <= PACE + 0.3


def rest(world: World, ctx: Context | None = None) -> None:
    """Go on until polls are slow."""
    ctx = ctx or world.ctx
    for _ in range(3):  # what was made before is news to the first
        passes(world, QUIET_SECONDS + 60, ctx)
        assert polls(ctx)
    assert is_slow(world, ctx)


@pytest.fixture(autouse=True)
def _in_the_middle_of_a_month(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api_account, "_now", lambda _: datetime(2026, 11, 15, tzinfo=UTC))


@pytest.fixture
def resting(world: World) -> World:
    world.declare(world.trigger())
    rest(world)
    return world


def test_a_minute_without_a_change_is_not_quiet(resting: World) -> None:
    resting.fail_task()
    passes(resting, SLOW)
    assert polls(resting.ctx)
    for _ in range(int(BUSY_SECONDS / (PACE + 1)) - 2):
        assert is_fast(resting)
        passes(resting, PACE + 1)
        assert polls(resting.ctx)
    passes(resting, QUIET_SECONDS)
    assert polls(resting.ctx)
    assert is_slow(resting)


def test_a_new_trigger_is_polled_for_at_once_and_fast(resting: World) -> None:
    passes(resting, PACE + 1)
    assert not polls(resting.ctx)
    resting.declare(resting.trigger(), resting.trigger(name="another"))
    assert polls(resting.ctx)
    assert is_fast(resting)
    passes(resting, PACE + 1)
    assert polls(resting.ctx)
    assert is_fast(resting)


def test_what_is_declared_again_as_it_was_is_no_change(resting: World) -> None:
    passes(resting, PACE + 1)
    resting.declare(resting.trigger())
    assert not polls(resting.ctx)


def test_a_start_with_the_same_triggers_polls_at_once_and_fast(resting: World) -> None:
    """As in a cluster, where Redis and its workers outlive the script."""
    passes(resting, PACE + 1)
    resting.ledger.reading.start_anew()
    assert polls(resting.ctx)
    assert is_fast(resting)
    assert not polls(resting.ctx), "once"


def test_a_start_with_a_new_run_of_redis_polls_at_once_and_fast(resting: World) -> None:
    """As in local mode, where the script's end is that of its Redis."""
    passes(resting, PACE + 1)
    resting.ledger.store.client.hset(resting.ledger.keys.epoch, "run_id", "another")
    later = resting.context()
    assert later.epoch.number > resting.ctx.epoch.number
    assert polls(later)
    assert is_fast(resting, later)


def test_another_worker_goes_on_with_the_pace_that_there_is(resting: World) -> None:
    other = resting.context()
    passes(resting, PACE + 1)
    assert not polls(other)
    passes(resting, SLOW)
    assert polls(other)
    assert is_slow(resting)
    resting.fail_task()
    passes(resting, SLOW)
    assert polls(resting.ctx)
    assert is_fast(resting)


def test_a_launch_of_our_own_keeps_polls_fast(resting: World) -> None:
    """It is a change as any other: what it does next may fire something."""
    resting.fail_task()
    passes(resting, SLOW)
    assert polls(resting.ctx)
    resting.settle()
    passes(resting, QUIET_SECONDS)  # the launched task is news to the next poll
    assert polls(resting.ctx)
    assert is_fast(resting)


def test_of_two_schedulers_one_s_service_task_does_not_wake_the_other(resting: World) -> None:
    (other,) = others(resting, 1)
    resting.call("tasks.edit", task=resting.service, system_tags=[service_tag(resting.ledger.scheduler)], force=True)
    rest(resting)
    rest(resting, other)
    for _ in range(3):
        resting.call("tasks.edit", task=other.service_task, comment="renewed", force=True)
        resting.call("tasks.edit", task=resting.service, comment="renewed", force=True)
        for ctx in (resting.ctx, other):
            passes(resting, SLOW, ctx)
            assert polls(ctx)
            assert is_slow(resting, ctx)


def test_of_two_schedulers_one_s_launch_wakes_both(resting: World) -> None:
    (other,) = others(resting, 1)
    rest(resting)
    rest(resting, other)
    resting.fail_task()
    for ctx in (resting.ctx, other):
        passes(resting, SLOW, ctx)
        assert polls(ctx)
        assert is_fast(resting, ctx)


def test_a_schedule_waits_for_no_poll(resting: World) -> None:
    resting.declare(resting.trigger(), resting.trigger("schedule", name="hourly", every="1h"))
    rest(resting)
    due = wait(resting)
    client, keys = resting.ledger.store.client, resting.ledger.keys
    entry = resting.ledger.registry.snapshot().entries["schedule:hourly"]
    resting.ledger.registry.edit(
        lambda known, _: {"schedule:hourly": replace(entry, since_ms=entry.since_ms - 3_600_000)}
    )
    client.delete(keys.cursor("clock"))
    assert clock(resting.ctx)
    assert abs(wait(resting) - due) < 5, "the clock does not move polls"


def test_a_poll_that_failed_is_made_again_at_the_fast_pace(resting: World) -> None:
    resting.sandbox.control.fault("error", "tasks.get_all_ex", caller="clearml-triggers*", times=1)
    passes(resting, SLOW)
    with pytest.raises(ServerUnavailable):
        polls(resting.ctx)
    assert is_fast(resting)


def test_a_poll_that_failed_is_made_again_no_sooner_than_calls_suffice(resting: World) -> None:
    short = resting.context(api_calls_per_month=100)
    resting.sandbox.control.fault("error", "tasks.get_all_ex", caller="clearml-triggers*")
    passes(resting, SLOW)
    with pytest.raises(ServerUnavailable):
        polls(short)
    assert wait(resting) > 3000


def test_an_interval_that_is_chosen_meanwhile_counts_at_once(resting: World) -> None:
    passes(resting, PACE + 1)
    assert polls(resting.ctx, quiet=0.0)
    assert is_fast(resting)


@pytest.mark.parametrize("limit", [None, 200, 10**9])
def test_another_limit_counts_at_once(resting: World, limit: int | None) -> None:
    short = resting.context(api_calls_per_month=100)
    resting.ledger.store.client.delete(resting.ledger.keys.next_poll)
    assert polls(short)
    assert wait(resting) > 600
    passes(resting, PACE + 1)
    assert not polls(short)
    assert polls(resting.context(api_calls_per_month=limit))


def test_a_pause_for_calls_does_not_end_with_a_new_trigger(resting: World) -> None:
    """It would be a way around the limit."""
    short = resting.context(api_calls_per_month=100)
    resting.ledger.store.client.delete(resting.ledger.keys.next_poll)
    assert polls(short)
    passes(resting, PACE + 1)
    resting.declare(resting.trigger(), resting.trigger(name="another"))
    assert not polls(short)


def test_a_service_task_is_known_by_its_tag(resting: World) -> None:
    """One of a scheduler that serves from elsewhere is one as well."""
    task = resting.create_task("elsewhere")
    resting.call("tasks.edit", task=task, system_tags=[service_tag("elsewhere")], force=True)
    rest(resting)
    resting.call("tasks.edit", task=task, comment="renewed", force=True)
    passes(resting, SLOW)
    assert polls(resting.ctx)
    assert is_slow(resting)
