"""What the original's time arguments mean, held against its own `ScheduleJob.next()`: random arguments, any year.

The original is run as its loop runs it: each time that it names is carried out at that time. Where it is broken, our
times differ on purpose; `excuse` says how, and docs/differences.md has a row for each.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from clearml.automation.scheduler import ScheduleJob
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from triggers.base.errors import InvalidTrigger
from triggers.model import make_trigger
from triggers.model.schedule_values import WEEKDAYS
from triggers.rules.schedules import calendar_for
from triggers.rules.schedules.zones import at_ms, to_ms

TASK = {"type": "task", "base_task_id": "base", "queue": "q"}
STEPS = 12

starts = st.datetimes(datetime(1999, 1, 1), datetime(2099, 12, 31)).map(
    lambda naive: naive.replace(microsecond=naive.microsecond // 1000 * 1000, tzinfo=UTC)
)
arguments = st.fixed_dictionaries(
    {},
    optional={
        "minute": st.integers(0, 59) | st.just(90),
        "hour": st.integers(0, 23) | st.just(36),
        "day": st.integers(0, 31),
        "weekdays": st.lists(st.sampled_from(WEEKDAYS), min_size=1, max_size=4, unique=True).map(
            lambda days: sorted(days, key=WEEKDAYS.index)
        ),
        "month": st.integers(0, 14),
        "year": st.integers(0, 3) | st.integers(2020, 2060),
    },
)


def original(given: dict[str, Any], start: datetime, steps: int = STEPS) -> list[datetime]:
    """The times that the original names, each carried out when it says."""
    job = ScheduleJob(name="n", base_task_id="base", queue="q", starting_time=start, **given)
    job.verify()
    found: list[datetime] = []
    for _ in range(steps):
        due = job.next()
        if due is None or (found and due <= found[-1]):
            break
        if due < start and not (job.year and job.year > 2000):
            break
        found.append(due)
        job._last_executed = due
        job._schedule_counter += 1
    return found


def ours(given: dict[str, Any], after: datetime, start: datetime, steps: int = STEPS) -> list[datetime]:
    schedule = make_trigger("schedule", name="n", action=TASK, **given)
    calendar, ms, found = calendar_for(schedule, to_ms(start)), to_ms(after), []
    while len(found) < steps and (next_ms := calendar.after(ms)) is not None:
        found.append(at_ms(next_ms))
        ms = next_ms
    return found


def late_first(given: dict[str, Any]) -> bool:
    """Whether the original may pass over first times: it reckons with one month's, year's or weekday's length."""
    return bool(given.get("month") or given.get("year") or given.get("weekdays"))


def paces(times: list[datetime]) -> list[tuple[int, int, int, int]]:
    """Months between two times, and the time of the month."""
    months = [one.year * 12 + one.month for one in times]
    of_month = [(one.day, one.hour, one.minute) for one in times]
    return [(two - one, *at) for (one, two), at in zip(pairwise(months), of_month[1:], strict=True)]


@settings(max_examples=1500)
@given(arguments, starts)
@example({"minute": 15}, datetime(2026, 11, 27, 8, 5, 3, tzinfo=UTC))
@example({"hour": 1, "minute": 30}, datetime(2026, 11, 27, 8, 5, 3, tzinfo=UTC))
@example({"day": 1, "hour": 22, "minute": 30}, datetime(2026, 11, 27, 8, 5, 3, tzinfo=UTC))
@example({"day": 2, "hour": 7, "minute": 30}, datetime(2026, 11, 27, 8, 5, 3, tzinfo=UTC))
@example({"day": 0, "hour": 8, "minute": 30, "weekdays": ["saturday"]}, datetime(2026, 11, 27, 8, 5, 3, tzinfo=UTC))
@example({"hour": 2, "weekdays": ["saturday", "sunday"]}, datetime(2026, 11, 27, 8, 5, 3, tzinfo=UTC))
@example({"month": 1, "day": 5}, datetime(2026, 11, 27, 8, 5, 3, tzinfo=UTC))
@example({"year": 1, "month": 3, "day": 4}, datetime(2026, 11, 27, 8, 5, 3, tzinfo=UTC))
def test_times_are_those_of_the_original(given: dict[str, Any], start: datetime) -> None:
    try:
        expected = original(given, start)
    except ValueError:  # it has no meaning there, or breaks on a day that some month has not
        return
    try:
        make_trigger("schedule", name="n", action=TASK, **given)
    except InvalidTrigger:
        assume(False)
    if given.get("year", 0) > 2000:
        assert expected[:1] == (ours(given, start, start) or expected[:1])
        assert (expected[0] > start) == bool(ours(given, start, start))
        return
    if not expected:  # the first time that the original names is over
        assert given.get("weekdays")
        assert given.get("day") is None
        return
    if given.get("weekdays") and given.get("day") is None and not (given.get("month") or given.get("year")):
        # within days: the original counts the first day from its start, or from a minute or two beside it
        expected = [one for one in expected if one.date() > start.date()]
        if not expected:
            return
        start = expected[0] - timedelta(milliseconds=1)
    found = ours(given, start, start)
    if expected[0] != found[0]:
        assert late_first(given)
        if given.get("month", 0) > 1 or given.get("year"):
            # it begins in another month: the pace and the time of the month are the same
            assert given.get("weekdays") or paces(found) == paces(expected)
            return
        assert found[0] < expected[0], "only ever earlier"
        if given.get("weekdays") and (given.get("month") or given.get("year")):
            return  # which of several weekdays is the first depends on where it begins
        found = ours(given, expected[0] - timedelta(milliseconds=1), start)
    assert found[: len(expected)] == expected
    if len(expected) < STEPS:
        # the original names a time that is over, again and again
        assert given.get("weekdays")
        assert "day" not in given or given["day"] is None


@given(arguments, starts)
def test_what_the_original_refuses_is_refused(given: dict[str, Any], start: datetime) -> None:
    job = ScheduleJob(name="n", base_task_id="base", queue="q", starting_time=start, **given)
    try:
        job.verify()
    except ValueError:
        with pytest.raises(InvalidTrigger):
            make_trigger("schedule", name="n", action=TASK, **given)


@given(arguments, starts)
def test_times_go_on_and_are_later_than_the_start(given: dict[str, Any], start: datetime) -> None:
    try:
        found = ours(given, start - timedelta(days=400), start)
    except InvalidTrigger:
        return
    assert all(one > start for one in found)
    assert all(one < two for one, two in pairwise(found))
