"""The account of API calls: what several processes hand in adds up, and a pause of one is kept by all."""

from __future__ import annotations

from dataclasses import replace

import pytest
import redis

from tests.integration.stages.conftest import World
from triggers.base.errors import ServerBusy
from triggers.clearml_api import Api
from triggers.clearml_api.calls import TALLY, caused_by
from triggers.clearml_api.gate import Gate
from triggers.clearml_api.pauses import Pause
from triggers.context.api_account import ApiAccount, hand_in
from triggers.ledger.api_budget.api_account import CallBook
from triggers.ledger.keys import shared
from triggers.operate.api_budget import line, read_budget
from triggers.stages.dispatch import dispatch


@pytest.fixture(autouse=True)
def _no_calls_of_others(world: World) -> None:
    TALLY.take()


def end_pause(world: World) -> None:
    """Let the pause that all processes keep be over."""
    world.api.gate = Gate()
    client(world).delete(shared("api_pause"), shared("api_pauses"))


def client(world: World) -> redis.Redis:
    return world.ledger.store.client


@pytest.mark.sandbox_control
def test_what_is_counted_is_what_the_server_received(world: World) -> None:
    account = ApiAccount(1000)
    world.declare(world.trigger("task", trigger_on_status=["failed"]), world.trigger("model", trigger_on_publish=True))
    hand_in(world.ledger.calls)
    before, received = read_budget(world.ledger), world.sandbox.control.counts()
    with caused_by("poll"):
        world.poll()
    account.settle(world.ledger.calls, world.api)
    account.settle(world.ledger.calls, world.api)  # at most once a second, and nothing twice
    after, now_received = read_budget(world.ledger), world.sandbox.control.counts()
    assert after.made - before.made == sum(now_received.values()) - sum(received.values()) == 2
    assert after.by_cause["poll"] == 2
    assert after.by_endpoint["models.get_all_ex"] == 1
    assert after.limit == 1000
    assert after.projected >= after.made
    assert after.month in line(after)
    assert "of 1,000 calls" in line(after)


def test_counts_are_kept_while_redis_is_away(world: World) -> None:
    world.api.call("users.get_current_user", {})
    with pytest.raises(redis.RedisError):
        hand_in(CallBook(redis.Redis(port=1, socket_connect_timeout=1)))
    before = read_budget(world.ledger).made
    hand_in(world.ledger.calls)
    assert read_budget(world.ledger).made > before


def test_a_pause_of_one_process_is_kept_by_all_and_the_longest_counts(world: World) -> None:
    one, other = world.api, Api(world.api.credentials, timeout_seconds=60)
    one.new_pause = Pause(3600.0, 3, "429/0: slow down")
    ApiAccount(None).settle(world.ledger.calls, one)
    short = Api(world.api.credentials, timeout_seconds=60)
    short.new_pause = Pause(1.0, 1, "shorter")
    ApiAccount(None).settle(world.ledger.calls, short)
    ApiAccount(None).settle(world.ledger.calls, other)
    assert 3000 < other.pause_seconds <= 3600
    with pytest.raises(ServerBusy, match="slow down"):
        other.call("users.get_current_user", {})
    found = read_budget(world.ledger)
    assert 3000 < found.paused_seconds <= 3600
    assert "slow down" in line(found)


def test_a_pause_of_one_server_is_none_of_another(world: World) -> None:
    world.api.new_pause = Pause(3600.0, 1, "429/0: slow down")
    ApiAccount(None).settle(world.ledger.calls, world.api)
    elsewhere = Api(replace(world.api.credentials, host="http://elsewhere"), timeout_seconds=60)
    ApiAccount(None).settle(world.ledger.calls, elsewhere)
    assert elsewhere.pause_seconds == 0
    elsewhere.new_pause = Pause(2.0, 1, "429/0: elsewhere")
    ApiAccount(None).settle(world.ledger.calls, elsewhere)
    again = Api(world.api.credentials, timeout_seconds=60)
    ApiAccount(None).settle(world.ledger.calls, again)
    assert 3000 < again.pause_seconds <= 3600
    found = world.ledger.calls.pause_now()
    assert found is not None
    assert found.why == "429/0: slow down"


@pytest.mark.sandbox_control
def test_an_hour_s_pause_during_a_launch_is_kept_by_all_and_the_launch_goes_on_after_it(world: World) -> None:
    """The second request of the launch is the one that was too many."""
    account = ApiAccount(None)
    world.declare(world.trigger())
    world.poll()
    world.fail_task()
    world.poll()
    world.match()
    world.sandbox.control.fault("busy", "tasks.enqueue*", caller="clearml-triggers*", retry_after=3600, times=1)
    dispatch(world.ctx)
    account.settle(world.ledger.calls, world.api, force=True)
    other = Api(world.api.credentials, timeout_seconds=60)
    ApiAccount(None).settle(world.ledger.calls, other)
    assert 3000 < other.pause_seconds <= 3600
    before = world.sandbox.control.counts()
    world.expire_leases()
    assert dispatch(world.ctx) == 0
    assert world.sandbox.control.counts() == before
    end_pause(world)
    for _ in range(2):  # a draft whose enqueuing was refused is withdrawn first
        world.expire_leases()
        dispatch(world.ctx)
    assert list(world.runs().values()) == [1]


def test_when_all_calls_of_the_month_are_made_every_process_waits_and_goes_on_with_a_raised_limit(world: World) -> None:
    world.api.call("users.get_current_user", {})
    used_up = ApiAccount(1)
    used_up.settle(world.ledger.calls, world.api)
    with pytest.raises(ServerBusy, match="TRIGGERS_API_CALLS_PER_MONTH"):
        world.api.call("users.get_current_user", {})
    fresh = Api(world.api.credentials, timeout_seconds=60)
    ApiAccount(10**6).settle(world.ledger.calls, fresh)
    fresh.call("users.get_current_user", {})


def test_months_and_hours_are_forgotten_in_time(world: World) -> None:
    world.api.call("users.get_current_user", {})
    hand_in(world.ledger.calls)
    keys = list(client(world).scan_iter("*api_calls*"))
    assert len(keys) == 2
    assert all(client(world).ttl(key) > 0 for key in keys)


@pytest.mark.sandbox_control
@pytest.mark.parametrize("kind", ["busy", "quota"])
@pytest.mark.parametrize("endpoint", ["tasks.clone", "tasks.enqueue*", "tasks.get_all*", "*"])
def test_refusals_for_too_many_calls_cost_a_firing_no_attempt(world: World, kind: str, endpoint: str) -> None:
    """Twelve in a row: ten failures would be a dead letter. Afterwards each firing launches, once."""
    account = ApiAccount(None)
    world.declare(world.trigger())
    world.poll()
    world.fail_task()
    world.fail_task()
    world.poll()
    world.match()
    fault = world.sandbox.control.fault(kind, endpoint, caller="clearml-triggers*", retry_after=30)
    for _ in range(12):
        world.expire_leases()
        dispatch(world.ctx)
        account.settle(world.ledger.calls, world.api, force=True)
        end_pause(world)
    (rule,) = world.sandbox.control.faults()
    assert rule["hits"] >= 6
    world.sandbox.control.clear_faults(fault)
    for _ in range(2):  # a draft whose enqueuing was refused is withdrawn first
        world.expire_leases()
        dispatch(world.ctx)
    assert sorted(world.runs().values()) == [1, 1]
    assert [entry.what for entry in world.history() if entry.what in ("failed", "dead")] == []
    assert world.ledger.waiting.dead_count() == 0


@pytest.mark.sandbox_control
def test_nothing_is_claimed_or_asked_while_a_pause_lasts(world: World) -> None:
    world.declare(world.trigger())
    world.poll()
    world.fail_task()
    world.poll()
    world.match()
    world.api.pause(Pause(3600.0, 1, "429/0: slow down"))
    before = world.sandbox.control.counts()
    assert dispatch(world.ctx) == 0
    with pytest.raises(ServerBusy):
        world.poll()
    assert world.sandbox.control.counts() == before


@pytest.mark.sandbox_control
def test_a_poll_that_was_refused_reads_the_same_again(world: World) -> None:
    world.declare(world.trigger())
    world.poll()
    task = world.fail_task()
    world.sandbox.control.fault("busy", "tasks.get_all_ex", caller="clearml-triggers*", retry_after=30, times=1)
    with pytest.raises(ServerBusy):
        world.poll()
    end_pause(world)
    world.step()
    assert list(world.runs().values()) == [1]
    assert task in {entry.object for entry in world.history("launched")}
