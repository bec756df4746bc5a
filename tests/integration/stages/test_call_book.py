"""The account of calls in a real Redis beside the one in memory by which months are simulated, and what it lends."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import redis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.integration.stages.conftest import World
from tests.property.budget.book import BookInMemory
from triggers.base.errors import ServerBusy
from triggers.clearml_api import Api
from triggers.clearml_api.calls import TALLY, CallTally, caused_by
from triggers.context import api_account
from triggers.context.api_account import IN_HAND, ApiAccount
from triggers.ledger.api_budget.api_account import CallBook
from triggers.ledger.api_budget.api_lending import Hand
from triggers.ledger.keys import shared
from triggers.rules.api_budget import month_of

START = datetime(2026, 11, 30, 20, tzinfo=UTC)


def client(world: World) -> redis.Redis:
    return world.ledger.store.client


def forget(world: World) -> None:
    for key in client(world).scan_iter(shared("api_*")):
        client(world).delete(key)


@pytest.fixture(autouse=True)
def _nothing_counted(world: World) -> Iterator[None]:
    TALLY.take()
    yield
    TALLY.take()


processes, causes = st.sampled_from("abc"), st.sampled_from(["poll", "launch", "sync"])
steps = st.lists(
    st.one_of(
        st.tuples(st.just("lend"), processes, st.integers(1, 20), st.booleans()),
        st.tuples(
            st.just("settle"), processes, st.dictionaries(causes, st.integers(1, 9), max_size=2), st.integers(0, 40)
        ),
        st.tuples(st.just("restore"), st.integers(0, 60), st.integers(0, 90), st.none()),
        st.tuples(st.just("passes"), st.integers(-7200, 90_000), st.none(), st.none()),
    ),
    max_size=25,
)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(10, 200), steps)
def test_redis_keeps_what_the_simulation_keeps(world: World, limit: int, taken: list[tuple]) -> None:
    forget(world)
    now = START
    real, model = CallBook(client(world), lambda: now), BookInMemory(lambda: now)
    for what, one, two, three in taken:
        for book in (real, model):
            if what == "lend":
                book.lend(one, two, limit, for_polls=three)
            elif what == "settle":
                hand = Hand(one, month_of(now), three % 10, counted=three)
                book.settle({(cause, "endpoint", "ok"): number for cause, number in two.items()}, limit, hand=hand)
            elif what == "restore":
                book.restore(month_of(now), one, two)
        if what == "passes":
            now += timedelta(seconds=one)
        assert real.usage() == model.usage()


def account(limit: int | None, tally: CallTally | None = None) -> ApiAccount:
    return ApiAccount(limit, tally=tally or TALLY)


def limited(world: World, limit: int) -> tuple[ApiAccount, Api]:
    api, one = Api(world.api.credentials, timeout_seconds=60), account(limit)
    one.settle(world.ledger.calls, api)
    return one, api


def calls(api: Api, number: int, cause: str = "launch") -> int:
    """Make calls until one is refused; how many were made."""
    with caused_by(cause):
        for made in range(number):
            try:
                api.call("users.get_current_user", {})
            except ServerBusy:
                return made
    return number


@pytest.mark.sandbox_control
def test_threads_of_several_processes_make_no_call_beyond_the_limit(world: World) -> None:
    """Each call is counted by the server as well."""
    forget(world)
    limit = 100
    before = sum(world.sandbox.control.counts().values())
    pairs = [limited(world, limit) for _ in range(3)]
    threads = [threading.Thread(target=calls, args=(api, 60)) for _, api in pairs for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for one, api in pairs:
        one.settle(world.ledger.calls, api, force=True)
    usage = world.ledger.calls.usage()
    assert sum(world.sandbox.control.counts().values()) - before == usage.made <= limit
    assert usage.lent == 0
    assert usage.made > limit - 3 * IN_HAND


def test_what_a_killed_process_had_in_hand_counts_as_made(world: World) -> None:
    forget(world)
    _, api = limited(world, 20)
    calls(api, 3)
    TALLY.take()  # with the process
    assert world.ledger.calls.usage().lent == IN_HAND
    one, api = limited(world, 20)
    assert calls(api, 30) + 1 == 20 - IN_HAND, "with a log-in"
    one.settle(world.ledger.calls, api, force=True)
    assert world.ledger.calls.usage().made == 20 - IN_HAND


def test_what_is_not_used_is_given_back(world: World) -> None:
    forget(world)
    one, api = limited(world, 20)
    calls(api, 2)  # with a log-in
    one.settle(world.ledger.calls, api, force=True)
    usage = world.ledger.calls.usage()
    assert (usage.made, usage.lent) == (3, 0)


def test_calls_that_redis_forgot_count_again_and_once(world: World) -> None:
    """A promoted replica lacks the last seconds: each process counts anew what it had handed in."""
    forget(world)
    pairs = [limited(world, 100) for _ in range(2)]
    tallies = [CallTally(), CallTally()]
    for (one, api), tally in zip(pairs, tallies, strict=True):
        calls(api, 4)  # with a log-in
        one.settle(world.ledger.calls, api, force=True)
        one._tally = tally  # each counts for itself from now on
    assert world.ledger.calls.usage().made == 10
    forget(world)
    for one, api in (*pairs, *pairs):
        one.settle(world.ledger.calls, api, force=True)
    assert world.ledger.calls.usage().made == 10
    forget(world)
    world.ledger.calls.restore(month_of(world.ledger.calls.usage().now), 8, 12)
    for one, api in pairs:
        one.settle(world.ledger.calls, api, force=True)
    assert world.ledger.calls.usage().made == 12, "what was restored holds theirs"


def test_the_last_calls_are_for_launches(world: World) -> None:
    forget(world)
    one, api = limited(world, 1000)
    world.ledger.calls.settle({("launch", "endpoint", "ok"): 985}, 1000)
    assert 0 < calls(api, 20, "poll") <= 5
    assert api.pause_seconds == 0, "launches go on"
    one.settle(world.ledger.calls, api, force=True)
    made = world.ledger.calls.usage().made
    assert made <= 990
    assert calls(api, 30) == 1000 - made
    assert api.pause_seconds > 0


def test_without_redis_no_call_is_made_where_calls_are_limited(world: World) -> None:
    away = CallBook(redis.Redis(port=1, socket_connect_timeout=1))
    one, api = account(100), Api(world.api.credentials, timeout_seconds=60)
    one.limit_calls(away, api)
    with pytest.raises(ServerBusy, match="Redis does not say"):
        api.call("users.get_current_user", {})


def test_without_a_limit_nothing_is_lent(world: World) -> None:
    forget(world)
    one, api = account(None), Api(world.api.credentials, timeout_seconds=60)
    one.settle(world.ledger.calls, api)
    assert api.spend is None
    calls(api, 2)
    one.settle(world.ledger.calls, api, force=True)
    assert world.ledger.calls.usage().lent == 0


def test_calls_in_hand_end_with_their_month(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was taken in hand in November is not a call of December."""
    forget(world)
    now, monotonic = datetime(2026, 11, 30, 23, 59, 58, tzinfo=UTC), 0.0
    book = CallBook(client(world), lambda: now)
    one, api = ApiAccount(100, clock=lambda: monotonic), Api(world.api.credentials, timeout_seconds=60)
    one.settle(book, api)
    calls(api, 1)
    now, monotonic = datetime(2026, 12, 1, 0, 0, 1, tzinfo=UTC), 3.0
    calls(api, 1)
    one.settle(book, api, force=True)
    assert book.usage().made == 1
    assert book.usage().lent == 0
    now = datetime(2026, 11, 30, 23, 59, 59, tzinfo=UTC)
    assert book.usage().made == 2, "the log-in and a call"


def test_a_call_under_way_stays_in_hand(world: World) -> None:
    forget(world)
    tally = CallTally()
    one, api = account(20, tally), Api(world.api.credentials, timeout_seconds=60)
    one.settle(world.ledger.calls, api)
    with tally.request():
        one.spend(world.ledger.calls, api, "launch")
        one.settle(world.ledger.calls, api, force=True)
        assert world.ledger.calls.usage().lent == 1
    one.settle(world.ledger.calls, api, force=True)
    assert world.ledger.calls.usage().lent == 0


def test_the_pause_for_calls_that_others_have_in_hand_is_short(world: World) -> None:
    forget(world)
    world.ledger.calls.lend("another", 20, 20, for_polls=False)
    _, api = limited(world, 20)
    assert calls(api, 1) == 0
    assert 0 < api.pause_seconds <= api_account._LENT_SECONDS
