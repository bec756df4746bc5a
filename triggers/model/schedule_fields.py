"""The fields of a schedule, named as the arguments of `add_schedule`: when its times are.

They make one clause: an event of the clock is a nominal time of the schedule that it names. Which times there are is
worked out by `rules.schedules`.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, ClassVar, Final, Literal

from pydantic import Field, model_validator

from triggers.base.plural import plural
from triggers.model.clauses import PartOf, Rule, short
from triggers.model.durations import duration_ms
from triggers.model.fields import Conditions
from triggers.model.kinds import Kind
from triggers.model.schedule_values import (
    CronExpression,
    Every,
    Excluded,
    Jitter,
    Weekdays,
    When,
    Whole,
    Window,
    Zone,
)
from triggers.model.values import Flag, one_of, wrong

#: The kind of trigger that a schedule is.
SCHEDULE: Final[Kind] = "schedule"

#: Ids of times that are not named by when they are: the one at once, and the only one of a schedule that recurs not.
AT_ONCE, ONLY_ONCE = "immediately", "once"

_CATCH_UP = Literal["last", "all", "none"]

_PART: Final = "schedule"
_CLASSIC: Final = ("minute", "hour", "day", "weekdays", "month", "year")
#: The arguments that say when, of which a schedule has one; the original's go together.
_WAYS: Final = ("cron", "every", "at")
_MINUTES_A_DAY: Final = 1440
#: The last year that counts.
_LAST_YEAR: Final = 9988


#: The arguments by which its times are shown, in this order.
_SHOWN: Final = (
    *_WAYS, *_CLASSIC, "timezone", "recurring", "execute_immediately", "jitter_seconds", "until", "exclude",
)  # fmt: skip


def _shown(name: str, value: object) -> str:
    if name == "exclude" and isinstance(value, tuple) and len(value) > 3:
        return f"exclude={plural(len(value), 'day')} and spans"
    if isinstance(value, float):
        return f"{name}={value:g}"
    return f"{name}={list(value) if isinstance(value, tuple) else value!r}"


class ScheduleConditions(Conditions):
    """What a schedule is declared with. Of the conditions on objects it has none."""

    of_objects: ClassVar[bool] = False
    always: ClassVar[Mapping[str, Rule]] = {
        **Conditions.always,
        _PART: Rule(
            value=lambda trigger: trigger.name,
            holds=lambda name, event: event.name == name,
            wanted=lambda name: f"a time of the schedule {short(name)}",
            found=lambda _, event: f"a time of {short(event.name)}" if event.name else "a time of no schedule",
            needs=lambda name: [("name", (name,))],
        ),
    }

    minute: Annotated[
        Whole,
        PartOf(_PART, "minute"),
        Field(description="Minutes between two times; with a longer argument, the minute of the hour."),
    ] = None
    hour: Annotated[
        Whole,
        PartOf(_PART, "hour"),
        Field(description="Hours between two times; with a longer argument, the hour of the day."),
    ] = None
    day: Annotated[
        Whole,
        PartOf(_PART, "day"),
        Field(
            description="Days between two times; with `month` or `year`, the day of the month (its last day if it has "
            "fewer). With `weekdays`, 0 or 1 means once on each of these days."
        ),
    ] = None
    weekdays: Annotated[
        Weekdays,
        PartOf(_PART, "weekdays"),
        Field(
            description="Days of the week, such as ['monday', 'friday']. With day=0 or day=1, at `hour` and `minute`; "
            "without `day`, every `hour` and `minute` within these days."
        ),
    ] = ()
    month: Annotated[
        Whole,
        PartOf(_PART, "month"),
        Field(description="Months between two times; with `year`, the month of the year."),
    ] = None
    year: Annotated[
        Whole,
        PartOf(_PART, "year"),
        Field(description="Years between two times, up to 100; a year after 2000 means that one date."),
    ] = None
    recurring: Annotated[
        Flag,
        PartOf(_PART, "recurring"),
        Field(description="False means the first time only."),
    ] = True
    execute_immediately: Annotated[
        Flag,
        PartOf(_PART),
        Field(
            description="Also run once when the schedule is registered for the first time, or as soon as a worker runs "
            "within the day after that."
        ),
    ] = False
    cron: Annotated[
        CronExpression,
        PartOf(_PART),
        Field(
            description="Cron expression such as '15 6 * * mon-fri': minute, hour, day of the month, month, day of the "
            "week; a sixth field in front means seconds. Or a name such as '@daily'."
        ),
    ] = None
    every: Annotated[
        Every,
        PartOf(_PART),
        Field(
            description="Time between two times, such as '90m', '1h30m', or a `timedelta`, counted from the "
            "registration; changes of the clocks do not alter it."
        ),
    ] = None
    at: Annotated[
        When,
        PartOf(_PART),
        Field(description="One moment: a datetime or ISO 8601; without an offset, local time of `timezone`."),
    ] = None
    timezone: Annotated[
        Zone,
        PartOf(_PART),
        Field(description="IANA name of the time zone whose local time counts, such as 'Europe/Berlin'."),
    ] = "UTC"
    jitter_seconds: Annotated[
        Jitter,
        PartOf(_PART),
        Field(
            description="Run up to this many seconds (or '5m') later than the nominal time, but before the next one; "
            "how many follows from the name of the schedule and the time, so that it never changes. An edit counts for "
            "later nominal times."
        ),
    ] = 0.0
    until: Annotated[
        When,
        PartOf(_PART),
        Field(
            description="Last nominal time that counts: a datetime or ISO 8601, as `at`; a date means its first moment."
        ),
    ] = None
    exclude: Annotated[
        Excluded,
        PartOf(_PART),
        Field(
            description="Local dates to leave out, such as ['2026-12-25'], spans of them, such as "
            "['2026-12-24/2027-01-02'], or the path of an iCalendar file (.ics) whose events are left out. The file is "
            "read when the schedule is declared."
        ),
    ] = ()
    catch_up: Annotated[
        _CATCH_UP,
        one_of("last", "all", "none"),
        PartOf(_PART),
        Field(
            description="Which times to run that were missed by more than a minute while nothing ran: the 'last', "
            "'all', or 'none'."
        ),
    ] = "last"
    catch_up_window: Annotated[
        Window,
        PartOf(_PART),
        Field(description="How old a missed time may be to be run, such as '6h'."),
    ] = "1d"

    @property
    def when(self) -> str:
        """Its times in words: the arguments that say them."""
        shown = [name for name in _SHOWN if getattr(self, name) != type(self).model_fields[name].get_default()]
        return ", ".join(_shown(name, getattr(self, name)) for name in shown)

    @property
    def times(self) -> tuple[object, ...]:
        """What its calendar is made of. What only leaves times out is not in it: a file of holidays changes yearly."""
        return tuple(getattr(self, name) for name in (*_WAYS, *_CLASSIC, "timezone", "recurring"))

    @property
    def by_wall_clock(self) -> bool:
        """Whether its times are local ones, so that the rules of its time zone say when they are."""
        if self.at is not None:
            return datetime.fromisoformat(self.at).tzinfo is None
        return self.cron is not None or bool(self.day or self.weekdays or self.month or self.year)

    @property
    def window_ms(self) -> int:
        """How old a missed time may be to be caught up."""
        return duration_ms(self.catch_up_window)

    @property
    def jitter_ms(self) -> int:
        """How much later than its nominal time an occurrence may come on purpose."""
        return int(self.jitter_seconds * 1000)

    @model_validator(mode="after")
    def _has_no_condition_on_objects(self) -> ScheduleConditions:
        for name, field in Conditions.model_fields.items():
            if (value := getattr(self, name)) != field.get_default():
                raise wrong("has no meaning for a schedule; leave it out", name, value)
        return self

    @model_validator(mode="after")
    def _says_when(self) -> ScheduleConditions:
        classic = [name for name in _CLASSIC if getattr(self, name) not in (None, ())]
        ways = [name for name in _WAYS if getattr(self, name) is not None]
        given = [*ways, *classic[:1]]
        if len(given) > 1:
            raise wrong(f"cannot be combined with {given[1]}: give one of them", given[0], getattr(self, given[0]))
        if ways:
            if self.at is not None and self.until is not None:
                raise wrong("has no meaning for a schedule of one moment; leave it out", "until", self.until)
            return self
        times = [name for name in classic if name != "weekdays" and getattr(self, name)]
        if not times:
            name, value = (classic[0], getattr(self, classic[0])) if classic else ("cron", None)
            way_out = "give a time: cron, every, at, or some of minute, hour, day, month and year"
            raise wrong(way_out, name, value)
        self._check_together()
        return self

    def _check_together(self) -> None:
        """Refuse what the arguments of the original cannot mean together."""
        if self.weekdays and self.day not in (None, 0, 1):
            raise wrong(
                "with weekdays give day=0 or day=1 (at that time), or no day (within these days)", "day", self.day
            )
        if self.year and 100 < self.year <= 2000:
            raise wrong("give a year after 2000, or up to 100 as a number of years between two", "year", self.year)
        if self.year and self.month and self.month > 12:
            raise wrong("with year it is a month of the year: give 1 to 12", "month", self.month)
        if (self.year or self.month) and self.day and self.day > 31:
            raise wrong("with month or year it is a day of the month: give 1 to 31", "day", self.day)
        of_day = bool(self.year or self.month or self.day or (self.weekdays and self.day is not None))
        if of_day and self.hour and self.hour > 23:
            raise wrong("it is an hour of the day here: give 0 to 23", "hour", self.hour)
        if (of_day or (self.hour and not self.weekdays)) and self.minute and self.minute > 59:
            raise wrong("it is a minute of the hour here: give 0 to 59", "minute", self.minute)
        if self.weekdays and not of_day and (self.hour or 0) * 60 + (self.minute or 0) >= _MINUTES_A_DAY:
            way_out = "with weekdays and without day it is a time between two of one day: give less than a day"
            name = "hour" if self.hour else "minute"
            raise wrong(way_out, name, getattr(self, name))
        if self.year and self.year > 2000:
            self._check_date(self.year, self.month or 1, self.day or 1)

    def _check_date(self, year: int, month: int, day: int) -> None:
        if year > _LAST_YEAR:
            raise wrong(f"give a year up to {_LAST_YEAR}", "year", year)
        if day > (last := monthrange(year, month)[1]):
            raise wrong(f"there is no such date: {year}-{month:02} ends with day {last}; give 1 to {last}", "day", day)
