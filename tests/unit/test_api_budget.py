"""The budget of a month: what is projected, and how far polls stretch so that it holds."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triggers.rules.api_budget import (
    LONGEST_POLL_SECONDS,
    SCARCE_POLL_SECONDS,
    ApiUsage,
    end_of_month,
    is_used_up,
    kept_for_launches,
    month_of,
    poll_seconds,
    polls_are_over,
    projected,
    seconds_left,
    to_lend,
)

FIRST = datetime(2026, 11, 1, tzinfo=UTC)


def usage(now: datetime, made: int = 0, **more: float) -> ApiUsage:
    return ApiUsage(now, {("poll", "tasks.get_all_ex"): made} if made else {}, **more)


@pytest.mark.parametrize(
    ("now", "end", "name"),
    [
        (datetime(2026, 11, 30, 23, 59, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC), "2026-11"),
        (datetime(2026, 12, 31, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC), "2026-12"),
        (datetime(2028, 2, 1, tzinfo=UTC), datetime(2028, 3, 1, tzinfo=UTC), "2028-02"),
    ],
)
def test_a_month_ends_where_the_next_one_begins(now, end, name):
    assert end_of_month(now) == end
    assert month_of(now) == name
    assert seconds_left(now) == (end - now).total_seconds()


def test_the_rest_of_the_month_is_projected_from_the_last_day():
    half = FIRST + timedelta(days=15)
    assert projected(usage(half, 1000, recent=100, recent_seconds=86_400.0)) == 1000 + 1500
    assert projected(usage(half, 1000)) == 1000
    # five calls in the first minute are not a month of five a minute
    assert projected(usage(half, 5, recent=5, recent_seconds=60.0)) == 5 + round(5 / 600 * 15 * 86_400)


def test_without_a_limit_polls_keep_their_pace():
    assert poll_seconds(None, usage(FIRST, 10**9), calls_per_poll=2, pace_seconds=5) == 5


def test_polls_stretch_to_what_is_left_and_no_call_beyond_it():
    assert poll_seconds(10**9, usage(FIRST), calls_per_poll=2, pace_seconds=5) == 5
    stretched = poll_seconds(100_000, usage(FIRST), calls_per_poll=2, pace_seconds=5)
    assert stretched == pytest.approx(2 * 30 * 86_400 / (0.9 * 99_000))
    late = FIRST + timedelta(days=29)
    assert poll_seconds(100_000, usage(late, 99_990), calls_per_poll=2, pace_seconds=5) == LONGEST_POLL_SECONDS


def test_launches_go_before_polls():
    """What launches take at their present rate is reserved for the rest of the month."""
    busy = usage(FIRST, recent=43_200, recent_seconds=86_400.0)
    idle = usage(FIRST)
    waits = [poll_seconds(2_000_000, one, calls_per_poll=2, pace_seconds=1) for one in (idle, busy)]
    assert waits[0] < waits[1] == pytest.approx(2 * 30 * 86_400 / (0.9 * 1_999_000 - 1_296_000))
    too_busy = usage(FIRST, recent=100_000, recent_seconds=86_400.0)
    assert poll_seconds(2_000_000, too_busy, calls_per_poll=2, pace_seconds=1) == SCARCE_POLL_SECONDS


@given(
    limit=st.integers(20_000, 2_000_000),
    per_poll=st.integers(1, 20),
    per_hour=st.integers(0, 2_000),
    pace=st.sampled_from([1.0, 5.0, 30.0]),
)
def test_a_month_of_polls_beside_any_load_holds(limit, per_poll, per_hour, pace):
    """Hour by hour: polls at the pace that is decided, launches as many as come until the limit is reached."""
    made = waiting = 0
    for hour in range(30 * 24):
        now = FIRST + timedelta(hours=hour)
        hours = min(hour, 24)
        found = usage(now, made, recent=per_hour * hours, recent_seconds=hours * 3600.0)
        wait = poll_seconds(limit, found, calls_per_poll=per_poll, pace_seconds=pace)
        polls = round(3600 / wait) * per_poll
        others = min(per_hour, max(0, limit - made))
        waiting += per_hour - others
        made += others + min(polls, max(0, limit - made - others))
    assert made <= limit
    if (per_hour + per_poll) * 30 * 24 <= limit * 0.85:  # beside one poll an hour, what launches need was there
        assert waiting == 0


def test_used_up():
    assert is_used_up(10, 10)
    assert not is_used_up(10, 9)
    assert not is_used_up(None, 10**9)


def test_a_pause_ends_with_the_month():
    late = FIRST + timedelta(days=29, hours=23, minutes=50)
    for made in (0, 5_000, 9_950, 10_000):
        assert poll_seconds(10_000, usage(late, made), calls_per_poll=50, pace_seconds=5) <= 600
    assert poll_seconds(10_000, usage(late, 10_000), calls_per_poll=2, pace_seconds=3600) == 3600


def test_polls_stretch_beyond_an_hour_only_where_they_alone_would_not_fit():
    burst = usage(FIRST, 100, recent=5_000, recent_seconds=86_400.0)
    assert poll_seconds(5_000, burst, calls_per_poll=1, pace_seconds=5) == SCARCE_POLL_SECONDS
    few = usage(FIRST, recent=500, recent_seconds=86_400.0)
    assert poll_seconds(480, few, calls_per_poll=2, pace_seconds=5) == pytest.approx(2 * 30 * 86_400 / (0.9 * 476))
    assert poll_seconds(20, usage(FIRST), calls_per_poll=2, pace_seconds=5) == LONGEST_POLL_SECONDS


@given(
    limit=st.integers(1, 10**6), made=st.integers(0, 10**6), lent=st.integers(0, 100), wanted=st.integers(0, 100),
    for_polls=st.booleans(),
)  # fmt: skip
def test_no_more_is_lent_than_is_left(limit, made, lent, wanted, for_polls):
    calls = to_lend(limit, made, lent, wanted, for_polls=for_polls)
    assert 0 <= calls <= wanted
    assert calls == 0 or made + lent + calls <= limit - (kept_for_launches(limit) if for_polls else 0)
    assert calls == wanted or polls_are_over(limit, made + lent + calls) or made + lent + calls == limit


def test_the_last_calls_are_for_launches():
    assert [kept_for_launches(limit) for limit in (50, 1_000, 100_000, 10**9)] == [0, 10, 1000, 1000]
    assert polls_are_over(1_000, 990)
    assert not polls_are_over(1_000, 989)
    assert to_lend(1_000, 990, 0, 8, for_polls=True) == 0
    assert to_lend(1_000, 990, 0, 8, for_polls=False) == 8


@pytest.mark.parametrize("endless", [0.0, 1e-9])
def test_a_month_without_calls_has_a_pause_all_the_same(endless):
    assert poll_seconds(1, usage(FIRST), calls_per_poll=endless, pace_seconds=5) == 5
