"""When the service task is looked at: at rest hardly ever, and at once where anything may have happened to it."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triggers.ledger.polling.service_watch import SeenServiceTask
from triggers.sync.redis_lease import LIFE_MS, RedisLease, callers, credible
from triggers.sync.rest import GLANCE_SECONDS, LONGEST_ANSWER_MS, CallsDue, LastCalls, answers_ms, due, rest_ms

KEEP = 20.0
NOW = 10**12
#: A scheduler at rest, 30 s after the last look: polls every second see all that changes.
RESTING = SeenServiceTask(now_ms=NOW, changed_ms=500, covered_ms=NOW - 500, polled_ms=NOW - 500, pace_ms=1000)
LAST = LastCalls(looked_ms=NOW - 30_000, pinged_ms=NOW - 30_000, noted_ms=500)


def decided(seen: SeenServiceTask = RESTING, last: LastCalls = LAST) -> CallsDue:
    return due(seen, last, KEEP)


def test_at_rest_nothing_is_due() -> None:
    assert decided() == CallsDue(ping=False, look=False, may_write=True)


@pytest.mark.parametrize(
    ("seen", "last", "what"),
    [
        ({"changed_ms": 501}, {}, "somebody changed a service task"),
        ({"covered_ms": NOW - 40_000}, {}, "polls have not seen all for longer than their pace"),
        ({"covered_ms": 0}, {}, "polls read no ClearML tasks"),
        ({"missed_ms": NOW - 600}, {}, "a poll of a busy server passed some over"),
        ({}, {"is_open": True}, "another Redis' lease is watched"),
    ],
)
def test_it_is_looked_at_where_something_may_have_happened(seen, last, what) -> None:
    assert decided(replace(RESTING, **seen), replace(LAST, **last)).look, what


def test_a_change_is_looked_at_no_more_often_than_leases_are_renewed() -> None:
    changed = replace(RESTING, changed_ms=501)
    assert not decided(changed, replace(LAST, looked_ms=NOW - 19_000)).look
    assert decided(changed, replace(LAST, looked_ms=NOW - 20_000)).look


def test_what_polls_do_not_see_is_looked_at_once_a_poll_at_most() -> None:
    unseen = replace(RESTING, covered_ms=0)
    glance_ms = int(GLANCE_SECONDS * 1000)
    assert decided(unseen, replace(LAST, looked_ms=NOW - glance_ms)).look
    assert not decided(unseen, replace(LAST, looked_ms=NOW - glance_ms + 1)).look
    assert not decided(replace(unseen, polled_ms=NOW - 31_000)).look, "no poll since the last look"


def test_a_look_makes_good_for_what_a_poll_passed_over() -> None:
    missed = replace(RESTING, missed_ms=NOW - 60_000, looked_ms=NOW - 30_000)
    assert missed.is_covered
    assert not decided(missed).look


@given(st.integers(1000, 30_000))
def test_what_is_asked_at_rest_is_a_request_in_twenty_polls_at_most(pace_ms: int) -> None:
    """Two for each comparison of clocks, and a write of the lease with the first after half of its life."""
    every_ms = rest_ms(pace_ms, KEEP)
    comparisons = math.ceil(LIFE_MS / 2 / every_ms)
    assert 2 * comparisons + 1 <= 0.05 * comparisons * every_ms / pace_ms


@given(st.integers(0, 10_000_000))
def test_the_clocks_are_compared_twice_an_hour_at_least(pace_ms: int) -> None:
    assert KEEP * 1000 <= rest_ms(pace_ms, KEEP) <= 1_500_000
    seen = replace(RESTING, pace_ms=pace_ms)
    assert decided(seen, replace(LAST, pinged_ms=NOW - 1_500_000)).ping


@given(st.floats(0.1, 3600.0), st.integers(0, 3_600_000))
def test_a_holder_answers_within_a_poll_a_renewal_and_a_turn(pace_seconds: float, pace_ms: int) -> None:
    """As long as polls come every ten minutes at least: a start does not wait longer than 15 minutes."""
    says = answers_ms(pace_seconds, pace_ms)
    assert says == LONGEST_ANSWER_MS or says >= max(pace_seconds * 1000, pace_ms) + KEEP * 1000 + 5000


def test_a_lease_ends_with_its_life_or_when_its_holder_should_have_answered() -> None:
    lease = RedisLease("i", "a", "h", 0, LIFE_MS, answers_ms=60_000)
    assert lease.ends_ms(1000) == 61_000
    assert lease.ends_ms(LIFE_MS - 1) == LIFE_MS
    assert replace(lease, answers_ms=0, until_ms=50_000).ends_ms(1000) == 50_000
    forged = [
        replace(lease, answers_ms=LONGEST_ANSWER_MS + 1),
        replace(lease, answers_ms=0),
        replace(lease, answers_ms=-1),
    ]
    assert credible([lease, *forged], 0) == [lease]


def test_a_holder_answers_to_knocks_and_to_other_leases_and_not_to_its_own() -> None:
    mine = RedisLease("mine", "a", "h", 0, 1, answers_ms=1)
    other = replace(mine, instance="other")
    of_mine = {mine.property: mine.to_json(), "triggers-state": "x"}
    assert callers([of_mine], mine) == ""
    answered = callers([of_mine, {other.property: other.to_json(), "triggers-knock": "5"}], mine)
    assert answered
    assert answered != callers([of_mine, {other.property: other.to_json(), "triggers-knock": "6"}], mine)


def test_while_a_poll_is_under_way_the_pause_before_it_counts() -> None:
    """Its own is known when it ends; until then nobody looks because the poll before is long ago."""
    polls_slowly = replace(RESTING, covered_ms=NOW - 100_000, polled_ms=NOW - 1_000, pace_ms=5_000, before_ms=96_000)
    assert polls_slowly.is_covered
    assert replace(polls_slowly, before_ms=5_000).is_covered is False
    assert replace(polls_slowly, polled_ms=NOW - 40_000).is_covered is False, "it did not come to an end"
    assert polls_slowly.pause_ms == 96_000
