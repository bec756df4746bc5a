"""Months under a limit, whatever disturbs them: the total holds, launches go first, polls go on, a new month is new."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.property.budget.month import DAY, HOUR, PER_LAUNCH, Month
from triggers.context.api_account import IN_HAND
from triggers.rules.api_budget import LONGEST_POLL_SECONDS, SCARCE_POLL_SECONDS, kept_for_launches

#: When December begins.
DECEMBER = 30 * DAY
END = 45 * DAY

schedulers = st.lists(st.tuples(st.integers(1, 2), st.sampled_from([5.0, 60.0, 7200.0])), min_size=1, max_size=4)
limits = st.integers(50, 1000)


@dataclass(frozen=True)
class Event:
    at: float
    what: str
    number: int


events = st.lists(
    st.builds(
        Event,
        st.floats(0, END - HOUR),
        st.sampled_from(["launch", "people", "kill", "limit", "clock", "redis", "older", "added", "removed"]),
        st.integers(0, 300),
    ),
    max_size=25,
)


def happen(month: Month, event: Event) -> None:
    number = event.number
    match event.what:
        case "launch":
            month.launch(number)
        case "people":
            month.by_people(number % 30)
        case "kill":
            month.kill_worker(number, number % (2 * IN_HAND))
        case "limit":
            month.set_limit(50 + number * 3)
        case "clock":
            month.step_clock((number - 150) * 600.0)
        case "promotion":
            month.fail_over(number)
        case "redis" | "older":
            month.lose_redis(number % 5 if event.what == "older" else None)
        case "added":
            month.add_scheduler(1 + number % 2, 5.0)
        case "removed":
            month.remove_scheduler()


def played(limit: int, polling: list[tuple[int, float]], happening: list[Event], end: float = END) -> Month:
    month = Month(limit, polling)
    for event in happening:
        month.at(event.at, lambda event=event: happen(month, event))
    month.run(end)
    return month


@settings(max_examples=25)
@given(limits, schedulers, events)
def test_a_month_holds_whatever_happens(limit, polling, happening):
    """No month comes to more than its limit, but for what nobody holds up and what no Redis knows of any more.

    That is no more than was made since the state was saved. Polls go on at least once a day while calls are left for
    them, and no launch is refused while any is left.
    """
    month = played(limit, polling, happening)
    for name, sent in month.sent.items():
        assert sum(sent.values()) <= month.most(name), (name, sent)
        assert month.forgotten[name] <= month.unsaved[name]
    for one in month.schedulers:
        assert one.longest <= max(one.pace, LONGEST_POLL_SECONDS) + 1
    assert month.refused_early == 0


promoting = st.lists(
    st.builds(Event, st.floats(0, END - HOUR), st.sampled_from(["launch", "promotion"]), st.integers(0, 300)),
    max_size=25,
)


@settings(max_examples=25)
@given(limits, schedulers, promoting)
def test_a_month_holds_when_redis_loses_its_last_minutes(limit, polling, happening):
    """Each process counts anew what it had handed in; beyond it is only what is in hand when another Redis is asked."""
    month = played(limit, polling, happening)
    in_hand = month.promotions * 2 * IN_HAND * len(month.workers)
    for name, sent in month.sent.items():
        assert sum(sent.values()) <= limit + in_hand, (name, sent)


def test_a_burst_that_redis_forgets_counts():
    """A hundred launches, of which the promoted Redis has not heard."""
    month = Month(1000, [(1, 60.0)])
    month.run(DAY)
    month.fail_over(HOUR)
    month.launch(100)
    month.run(DAY + 12 * HOUR)  # every process has polled since
    assert month.promotions == 1
    assert month.gone == sum(month.sent["2026-11"].values())


def test_what_was_restored_counts_once():
    """Redis comes back empty: the saved count holds what the processes that still run count anew."""
    month = Month(1000, [(1, 60.0)])
    month.launch(50)
    month.run(DAY)
    month.save()
    month.lose_redis(None)
    month.run(DAY + HOUR)
    made = sum(month.sent["2026-11"].values())
    assert made <= month.gone <= made + 1 + IN_HAND


calm = events.map(lambda found: [one for one in found if one.what in ("launch", "people", "kill")])


@settings(max_examples=25)
@given(limits, schedulers, calm)
def test_a_new_month_is_new_at_once(limit, polling, happening):
    """Launches that waited for it go before polls here as well."""
    month = played(limit, polling, happening, DECEMBER + 3 * HOUR)
    if month.sent["2026-12"]["launch"]:
        return
    for one in month.schedulers:
        assert one.firsts["2026-12"] <= DECEMBER + max(one.pace, 1.0)


@settings(max_examples=25)
@given(limits, schedulers, calm)
def test_polls_leave_the_last_calls_to_launches(limit, polling, happening):
    """What polls took when the month ended left as many as are kept, unless launches took them."""
    month = played(limit, polling, happening, DECEMBER - 1)
    sent = month.sent["2026-11"]
    others = sum(sent.values()) - sent["poll"]
    assert sent["poll"] <= max(0, limit - kept_for_launches(limit)) or others == 0
    if sum(sent.values()) < limit - 2 * IN_HAND * (2 + sum(one.what == "kill" for one in happening)) - PER_LAUNCH:
        assert month.waiting == 0


@pytest.mark.parametrize(("limit", "longest"), [(3000, SCARCE_POLL_SECONDS), (300, LONGEST_POLL_SECONDS)])
def test_after_a_burst_polls_come_once_an_hour_where_the_month_can_pay_for_it(limit, longest):
    """A hundred launches on the third day: at their rate nothing would be left for polls."""
    month = played(limit, [(1, 5.0)], [Event(2 * DAY, "launch", limit // 10)])
    (one,) = month.schedulers
    assert one.longest <= longest + 1
    assert sum(month.sent["2026-11"].values()) > 0.75 * limit


def test_a_month_s_calls_last_for_the_month():
    """Polls of a limit that is short end on its last day, not before."""
    month = played(700, [(2, 5.0)], [], DECEMBER - 1)
    (one,) = month.schedulers
    assert one.polled_at > 29 * DAY
    assert 0.85 * 700 < month.sent["2026-11"]["poll"] <= 693


def test_with_a_raised_limit_polls_come_at_once_and_more_often():
    month = played(200, [(2, 5.0)], [Event(20 * DAY, "limit", 290)], 20 * DAY - 1)
    (one,) = month.schedulers
    polls = one.polls
    month.run(20 * DAY + 1)
    assert one.polls == polls + 1
    month.run(21 * DAY)
    assert one.polls - polls > 24
