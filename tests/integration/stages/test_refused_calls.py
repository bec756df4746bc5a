"""A server refuses calls in the middle of something: how few are made meanwhile, and all is done once afterwards."""

from __future__ import annotations

import json
import re
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from tests.integration.stages.conftest import World
from triggers.base.errors import ServerBusy
from triggers.clearml_api import Api
from triggers.clearml_api.calls import TALLY
from triggers.clearml_api.gate import Gate
from triggers.context.api_account import ApiAccount
from triggers.ledger.api_budget.api_account import SharedPause
from triggers.ledger.keys import shared
from triggers.stages.act import act
from triggers.stages.dispatch import dispatch

pytestmark = pytest.mark.sandbox_control

OURS = "clearml-triggers*"


@pytest.fixture(autouse=True)
def _no_calls_of_others(world: World) -> None:
    TALLY.take()


class Counts:
    """What the server was asked since this was made."""

    def __init__(self, world: World) -> None:
        self._control = world.sandbox.control
        self._before = self._all()

    def _all(self) -> Counter[str]:
        return Counter(entry["endpoint"] for entry in self._control.requests() if entry["caller"] != "world")

    def __call__(self) -> Counter[str]:
        return self._all() - self._before


def pause_over(world: World, api: Api | None = None) -> None:
    """Let the time of the pause pass; what is known of refusals in a row stays."""
    (api or world.api).gate._until = time.monotonic()
    client: Any = world.ledger.store.client
    client.delete(shared("api_pause"))
    for server, text in client.hgetall(shared("api_pauses")).items():
        client.hset(shared("api_pauses"), server, json.dumps(json.loads(text) | {"until_ms": 1}))
    world.expire_leases()


def matched(world: World, number: int) -> None:
    """So many firings of launches wait."""
    world.declare(world.trigger())
    world.poll()
    for _ in range(number):
        world.fail_task()
    world.poll()
    world.match()


def launched(world: World, rounds: int = 4) -> list[int]:
    """How often each firing was launched, in the end."""
    world.sandbox.control.clear_faults()
    for _ in range(rounds):  # drafts whose enqueuing was refused are withdrawn first
        pause_over(world)
        dispatch(world.ctx)
    return sorted(world.runs().values())


def tagged(world: World, number: int) -> list[str]:
    """So many ClearML tasks get a tag, ten in a second."""
    world.declare(world.trigger(trigger_on_tags=["bulk"], policy={"max_per_minute": 0}))
    world.poll()
    ids = [world.create_task(f"one of many {each}") for each in range(number)]
    for at in range(0, len(ids), 10):
        world.call("tasks.update_tags", ids=ids[at : at + 10], add_tags=["bulk"])
        world.tick()
    return ids


@pytest.mark.parametrize("endpoint", ["tasks.enqueue*", "tasks.clone", "tasks.get_all"])
def test_after_each_pause_one_launch_is_tried_not_a_batch(world: World, endpoint: str) -> None:
    matched(world, 20)
    world.sandbox.control.fault("busy", endpoint, caller=OURS)
    asked, rounds, seconds = Counts(world), 8, list[float]()
    for _ in range(rounds):
        dispatch(world.ctx)
        seconds.append(round(world.api.pause_seconds))
        pause_over(world)
    made = asked()
    refused = sum(number for name, number in made.items() if name.startswith(endpoint.rstrip("*")))
    assert 4 <= refused <= rounds, made
    assert made["tasks.clone"] <= 20 + rounds, "a whole batch once, and one launch after each pause"
    assert made["tasks.delete"] <= made["tasks.clone"]
    assert max(seconds) >= 16, "good answers of other calls shorten no pause"
    assert launched(world) == [1] * 20
    assert world.ledger.waiting.dead_count() == 0


def test_a_refusal_in_the_middle_of_a_batch_ends_it_at_once(world: World) -> None:
    matched(world, 10)
    world.sandbox.control.fault("busy", "tasks.clone", caller=OURS, after_call="tasks.clone", retry_after=30)
    asked = Counts(world)
    dispatch(world.ctx)
    assert asked()["tasks.clone"] == 2
    before = asked()
    world.expire_leases()
    assert dispatch(world.ctx) == 0
    assert asked() == before
    assert launched(world) == [1] * 10


def test_a_walk_over_pages_goes_on_where_it_was_refused(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every second page is refused for longer than overlap reads are apart: they keep nothing new from being read."""
    monkeypatch.setattr("triggers.clearml_api.polls.PAGE_SIZE", 20)
    ids, refused = tagged(world, 400), 0
    while True:
        fault = world.sandbox.control.fault("busy", "tasks.get_all_ex", caller=OURS, after_call="tasks.get_all_ex")
        try:
            world.poll()
            break
        except ServerBusy:
            refused += 1
            assert refused < 150, "no walk ends"
            pause_over(world)
            for _ in range(2):  # no cursor passes the server's time, in whole seconds
                world.tick()
        finally:
            world.sandbox.control.clear_faults(fault)
    assert refused >= 30
    world.match()
    world.sandbox.control.clear_faults()
    world.poll()  # now the overlap read is whole
    world.match()
    granted = Counter(entry.object for entry in world.history("granted"))
    assert granted == dict.fromkeys(ids, 1)


ACTIONS: dict[str, dict[str, Any]] = {
    "tag": {"type": "tag", "add": ["seen"]},
    "publish": {"type": "publish"},
    "comment": {"type": "comment", "text": "seen"},
}


@pytest.mark.parametrize("action", sorted(ACTIONS))
def test_an_action_that_was_refused_anywhere_is_carried_out_once(world: World, action: str) -> None:
    """Every call that it makes is refused in turn, whichever they are."""
    world.declare(world.trigger(actions=[ACTIONS[action]]))
    world.poll()
    asked = Counts(world)
    world.fail_task()
    world.step()
    calls = sorted(asked())
    assert calls
    before = len(world.history("acted"))
    for number, endpoint in enumerate(calls, 1):
        world.fail_task()
        world.poll()
        world.match()
        fault = world.sandbox.control.fault("busy", endpoint, caller=OURS, retry_after=30)
        for stage in (dispatch, act):
            stage(world.ctx)
        world.sandbox.control.clear_faults(fault)
        for _ in range(4):
            pause_over(world)
            world.hints.dispatches = world.hints.acts = 1
            world.settle()
        assert len(world.history("acted")) - before == number, endpoint
    assert world.ledger.waiting.dead_count() == 0
    assert [entry.reason for entry in world.history("failed")] == []


@pytest.fixture
def second(world: World) -> Iterator[Api]:
    """The client of another worker process."""
    api = Api(world.api.credentials, timeout_seconds=60)
    yield api
    api.close()


def test_refusals_in_a_row_are_those_of_all_processes(world: World, second: Api) -> None:
    """Two processes that are refused in turn make the pauses of one."""
    accounts = {world.api: ApiAccount(None), second: ApiAccount(None)}
    world.api.call("users.get_current_user", {})
    second.call("users.get_current_user", {})
    world.sandbox.control.fault("busy", "*", caller=OURS)
    seconds = []
    for number in range(6):
        api = (world.api, second)[number % 2]
        with pytest.raises(ServerBusy):
            api.call("users.get_current_user", {})
        for each, account in [(api, accounts[api]), *accounts.items()]:
            account.settle(world.ledger.calls, each, force=True)
            assert each.pause_seconds > 0
        seconds.append(round(api.pause_seconds))
        for each in accounts:
            pause_over(world, each)
    assert seconds == [2, 4, 8, 16, 32, 60]


def test_a_call_that_is_taken_again_ends_the_row_of_all_processes(world: World, second: Api) -> None:
    """One that was not refused itself would else make the next pause as long as if nothing had been taken since."""
    accounts = {world.api: ApiAccount(None), second: ApiAccount(None)}
    fault = world.sandbox.control.fault("busy", "users.*", caller=OURS)
    for _ in range(3):
        with pytest.raises(ServerBusy):
            world.api.call("users.get_current_user", {})
        for api, account in accounts.items():
            account.settle(world.ledger.calls, api, force=True)
        for api in accounts:
            pause_over(world, api)
    assert second.is_trying
    world.sandbox.control.clear_faults(fault)
    world.api.call("users.get_current_user", {})
    for api, account in accounts.items():
        account.settle(world.ledger.calls, api, force=True)
    assert not second.is_trying
    world.sandbox.control.fault("busy", "users.*", caller=OURS)
    with pytest.raises(ServerBusy):
        second.call("users.get_current_user", {})
    assert second.pause_seconds <= 2


def test_a_call_that_is_taken_again_ends_no_later_pause(world: World, second: Api) -> None:
    book = world.ledger.calls
    book.share_pause(SharedPause(30.0, 1, "429/0: Too many requests"), world.api.shown_host)
    book.forget_pause(world.api.shown_host)
    ApiAccount(None).settle(book, second)
    assert second.pause_seconds > 0


def test_each_process_logs_a_pause_once_and_its_end(
    world: World, second: Api, caplog: pytest.LogCaptureFixture
) -> None:
    accounts = {world.api: ApiAccount(None), second: ApiAccount(None)}
    fault = world.sandbox.control.fault("busy", "*", caller=OURS, retry_after=30, times=1)

    def settle() -> list[str]:
        caplog.clear()
        for api, account in accounts.items():
            account.settle(world.ledger.calls, api, force=True)
        return [record.getMessage() for record in caplog.records]

    with pytest.raises(ServerBusy):
        world.api.call("users.get_current_user", {})
    no_calls = r"the ClearML server refuses calls for \d+ s: 429/0: Too many requests; polls and launches wait"
    assert [bool(re.fullmatch(no_calls, line)) for line in settle()] == [True, True]
    assert settle() == []
    world.sandbox.control.clear_faults(fault)
    for api in accounts:
        pause_over(world, api)
    assert settle() == [], "nobody has tried yet"
    for api in accounts:
        api.call("users.get_current_user", {})
    assert settle() == ["the ClearML server accepts calls again"] * 2
    assert settle() == []


def test_a_process_that_begins_in_a_pause_asks_nothing(world: World, second: Api) -> None:
    matched(world, 1)
    world.sandbox.control.fault("busy", "*", caller=OURS, retry_after=30, times=1)
    dispatch(world.ctx)
    ApiAccount(None).settle(world.ledger.calls, world.api)
    ApiAccount(None).settle(world.ledger.calls, second)
    asked = Counts(world)
    world.expire_leases()
    assert dispatch(replace(world.ctx, api=second)) == 0
    assert asked() == {}
    world.api.gate = Gate()
    assert launched(world) == [1]
