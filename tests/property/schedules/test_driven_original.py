"""The original's own job, driven by a clock as its loop drives it: runs that start late, at once, or only once.

`test_as_the_original` holds single times against one another. Here each of them is carried out some seconds late, the
first may be at once, and whatever a person may type is given for each argument.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import clearml.automation.scheduler as theirs
import pytest
from dateutil.relativedelta import relativedelta
from hypothesis import example, given, settings
from hypothesis import strategies as st

from triggers.base.errors import InvalidTrigger
from triggers.model import make_trigger
from triggers.model.schedule_values import WEEKDAYS
from triggers.rules.schedules.occurrences import Occurrence, Timetable
from triggers.rules.schedules.zones import at_ms, to_ms

TASK = {"type": "task", "base_task_id": "base", "queue": "q"}
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
RUNS = 30

#: Combinations that the original's own text explains, each with the values that it may have.
documented = st.one_of(
    st.fixed_dictionaries({"minute": st.integers(1, 180)}),
    st.fixed_dictionaries({"hour": st.integers(1, 72)}, optional={"minute": st.integers(0, 59)}),
    st.fixed_dictionaries(
        {"day": st.integers(1, 40)}, optional={"hour": st.integers(0, 23), "minute": st.integers(0, 59)}
    ),
    st.fixed_dictionaries(
        {
            "day": st.integers(0, 1),
            "weekdays": st.lists(st.sampled_from(WEEKDAYS), min_size=1, max_size=1),
            "hour": st.integers(1, 23),
        },
        optional={"minute": st.integers(0, 59)},
    ),
    st.fixed_dictionaries(
        {"month": st.integers(1, 24), "day": st.integers(1, 28)},
        optional={"hour": st.integers(0, 23), "minute": st.integers(0, 59)},
    ),
    st.fixed_dictionaries(
        {"year": st.integers(1, 4), "month": st.integers(1, 12), "day": st.integers(1, 28)},
        optional={"hour": st.integers(0, 23), "minute": st.integers(0, 59)},
    ),
)
starts = st.datetimes(datetime(2000, 1, 1), datetime(2060, 12, 31)).map(
    lambda naive: naive.replace(microsecond=0, tzinfo=UTC)
)


class Clock(datetime):
    """What the original takes for the time."""

    at: datetime = EPOCH

    @classmethod
    def now(cls, tz: Any = None) -> datetime:
        del tz
        return cls.at


def driven(fields: dict[str, Any], start: datetime, late: list[int], **flags: bool) -> Iterator[tuple[datetime, bool]]:
    """When the original's loop runs a job, by the time that it names for it, and whether it ran at once."""
    Clock.at = start
    began = EPOCH if flags["execute_immediately"] else start
    job = theirs.ScheduleJob(
        name="n", base_task_id="base", queue="q", starting_time=began, recurring=flags["recurring"], **fields
    )
    job.verify()
    for seconds in late:
        due = job.next()
        if due is None:
            return
        at_once = due <= Clock.at
        Clock.at = max(Clock.at, due) + timedelta(seconds=seconds)
        yield due, at_once
        job.run("task")


def ours(fields: dict[str, Any], start: datetime, runs: int, **flags: bool) -> list[Occurrence]:
    trigger = make_trigger("schedule", name="n", action=TASK, **fields, **flags)
    table, since_ms = Timetable.of(trigger, to_ms(start)), to_ms(start)
    found = [*table.occurrences(since_ms - 1, since_ms)]
    return found + table.coming(since_ms, to_ms(datetime(2400, 1, 1, tzinfo=UTC)), runs - len(found))


@settings(max_examples=300)
@given(documented, starts, st.lists(st.integers(0, 50), min_size=RUNS, max_size=RUNS), st.booleans(), st.booleans())
@example({"month": 1, "day": 5}, datetime(2026, 3, 31, 23, 59, tzinfo=UTC), [30] * RUNS, True, True)
@example({"day": 1, "hour": 22, "minute": 30}, datetime(2026, 3, 31, 22, 30, tzinfo=UTC), [0] * RUNS, False, True)
def test_runs_are_those_of_the_original_however_late_it_starts_them(
    fields: dict[str, Any], start: datetime, late: list[int], at_once: bool, recurring: bool
) -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(theirs, "datetime", Clock)
        flags = {"execute_immediately": at_once, "recurring": recurring}
        expected = list(driven(fields, start, late, **flags))
    found = ours(fields, start, RUNS, **flags)
    if at_once:
        assert expected[0][1], "the original runs it at once"
        assert found[0].id == "immediately"
        expected, found = expected[1:], found[1:]
    assert not any(past for _, past in expected)
    times = [at_ms(one.at_ms) for one in found]
    if not recurring:
        assert len(expected) == len(found) == (0 if at_once else 1)
    if set(fields) == {"minute"}:  # it counts from when the last one ran
        lost = timedelta()
        for (due, _), at, seconds in zip(expected, times, late[1 if at_once else 0 :], strict=False):
            assert due - at == lost + timedelta(seconds=late[0] if at_once else 0)
            lost += timedelta(seconds=seconds)
        return
    named = [due for due, _ in expected]
    if named and times[0] != named[0] and {"month", "year"} & fields.keys():
        # it takes all months for as long as one of them is, and begins in another one: the pace is the same
        shifted = (named[0].year - times[0].year) * 12 + named[0].month - times[0].month
        times = [at + relativedelta(months=shifted) for at in times]
    assert times[: len(named)] == named[: len(times)]


numbers = (
    st.integers(-3, 70) | st.sampled_from([90, 1439, 1440, 1999, 2000, 2001, 2028, 10**6 + 1, -1]) | st.booleans()
    | st.sampled_from([1.0, 2.5, 0.0, float("nan"), "1", "", "daily", None, [], (1,), {}])
)  # fmt: skip
days = st.none() | st.lists(st.sampled_from([*WEEKDAYS, "mon", "Monday", "MONDAY", "montag", 0, 7, None]), max_size=3)
anything = st.fixed_dictionaries(
    {}, optional={"weekdays": days, **dict.fromkeys(("minute", "hour", "day", "month", "year"), numbers)}
)


def is_refused_on_purpose(fields: dict[str, Any]) -> bool:
    """What docs/differences.md says that the original accepts and this refuses (row `refused`)."""
    values = {name: fields.get(name) for name in ("minute", "hour", "day", "month", "year")}
    if any(isinstance(value, (bool, str, list, tuple, dict)) for value in values.values()):
        return True  # True for 1, and what is empty for nothing
    minute, hour, day, month, year = (value or 0 for value in values.values())
    if not all(0 <= value <= 1_000_000 for value in (minute, hour, day, month, year)):
        return True
    days = fields.get("weekdays")
    of_day = bool(year or month or day or (days and values["day"] is not None))
    return (
        100 < year <= 2000
        or (bool(year) and month > 12)
        or (bool(year or month) and day > 31)
        or (of_day and hour > 23)
        or ((of_day or (hour and not days)) and minute > 59)
        or (bool(days) and not of_day and not 0 < hour * 60 + minute < 1440)
        or (year > 2000 and not _is_date(int(year), int(month or 1), int(day or 1)))
    )


def _is_date(year: int, month: int, day: int) -> bool:
    try:
        return bool(datetime(year, month, day))
    except ValueError:
        return False


@settings(max_examples=1000)
@given(anything)
@example({"weekdays": ["Monday"], "hour": 1})
@example({"weekdays": [], "hour": 1})
@example({"minute": 0, "hour": 0})
@example({"year": 2027, "month": 2, "day": 29})
@example({"year": 2028, "month": 2, "day": 29, "hour": 1})
@example({"weekdays": ["monday"], "day": 0, "hour": 0, "minute": 0})
def test_what_is_accepted_is_what_the_original_accepts(fields: dict[str, Any]) -> None:
    try:
        theirs.ScheduleJob(name="n", base_task_id="base", queue="q", **fields).verify()
        accepts = True
    except ValueError:
        accepts = False
    if accepts and not is_refused_on_purpose(fields):
        make_trigger("schedule", name="n", action=TASK, **fields)
        return
    with pytest.raises(InvalidTrigger, match="give") as caught:
        make_trigger("schedule", name="n", action=TASK, **fields)
    assert caught.value.argument in (*fields, "cron")
