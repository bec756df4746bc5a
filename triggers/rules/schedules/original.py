"""What minute, hour, day, weekdays, month and year mean together, as the original's `TaskScheduler` has it. Pure.

The longest of them that is given says how often, the shorter ones say when:

  1. a year after 2000               one date
  2. year                            every so many years, at that month, day and time
  3. month                           every so many months, at that day and time
  4. day (0 or 1) with weekdays      on these days of the week, at that time
  5. weekdays without day            on these days of the week, every hour:minute of the day
  6. day                             every so many days, at that time
  7. hour                            every so many hours, at that minute
  8. minute                          every so many minutes

All but 7 and 8 are local times. They count from when the schedule began. With a year or a month and weekdays it is the
first such day from that date on; of several weekdays one after the other.
"""

from __future__ import annotations

import calendar
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final, Protocol
from zoneinfo import ZoneInfo

from triggers.rules.schedules.calendars import Calendar, FixedStep, Local
from triggers.rules.schedules.zones import instant_of, local_of, zone_of

#: From this year on a year is a date and no number of years.
FIRST_YEAR: Final = 2001

WEEKDAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

_MINUTE_MS: Final = 60_000
_DAY: Final = timedelta(days=1)


class Arguments(Protocol):
    """The arguments of the original; 0 is as good as not given, but for `day`."""

    @property
    def minute(self) -> int | None: ...
    @property
    def hour(self) -> int | None: ...
    @property
    def day(self) -> int | None: ...
    @property
    def weekdays(self) -> tuple[str, ...]: ...
    @property
    def month(self) -> int | None: ...
    @property
    def year(self) -> int | None: ...
    @property
    def timezone(self) -> str: ...


def calendar_of(given: Arguments, since_ms: int) -> Calendar:
    """Make the calendar that these arguments mean for a schedule that began at `since_ms`; ask it from then on."""
    zone = zone_of(given.timezone)
    days = tuple(WEEKDAYS.index(day) for day in given.weekdays)
    at = timedelta(hours=given.hour or 0, minutes=given.minute or 0)
    start = local_of(since_ms, zone)
    if given.year or given.month:
        return _dated(given, start, at, days, zone)
    if days and given.day is not None:
        return Weekly(zone, frozenset(days), at)
    if days:
        return WithinDays(zone, frozenset(days), at, start.replace(second=0, microsecond=0))
    if given.day:
        return Daily(zone, start.date(), given.day, at)
    if given.hour:
        hour = instant_of(start.replace(minute=0, second=0, microsecond=0), zone)
        hour += ((since_ms - hour) // 3_600_000) * 3_600_000  # of a repeated hour the one that it is
        first = hour + (given.minute or 0) * _MINUTE_MS
        step = given.hour * 60 * _MINUTE_MS
        return FixedStep(first - step, step)  # a point of the grid is later than its start
    return FixedStep(since_ms, (given.minute or 0) * _MINUTE_MS)


def _dated(given: Arguments, start: datetime, at: timedelta, days: tuple[int, ...], zone: ZoneInfo) -> Calendar:
    year, month = given.year or 0, given.month or 0
    if year >= FIRST_YEAR:
        first, step = (year, month or 1), 0
    elif year:
        first, step = (start.year, month or start.month), 12 * year
    else:
        first, step = (start.year, start.month), month
    return Monthly(zone, first[0] * 12 + first[1] - 1, step, given.day or 1, at, days, start)


@dataclass(frozen=True, slots=True)
class Monthly(Local):
    """One day in every so many months.

    Attributes:
        zone: Whose wall clock.
        first: The first month, as year * 12 + month - 1.
        step: Months between two; 0: there is one only.
        day: Of the month; the last day of a month that has fewer.
        at: Time of that day.
        weekdays: Then the first such day from it on; of several one after the other.
        start: Local time at which the schedule began: the first of `weekdays` is of the first time after it.
    """

    zone: ZoneInfo
    first: int
    step: int
    day: int
    at: timedelta
    weekdays: tuple[int, ...]
    start: datetime

    def locals(self, after: datetime) -> Iterator[datetime]:
        """Walk the months."""
        if not self.step:
            one = self._in(self.first, 0)
            return iter([one] if one > after else [])
        # whether the first month counts shifts the order of the weekdays
        shift = 0 if self._in(self.first, 0) > self.start else 1
        number = max(0, (after.year * 12 + after.month - 1 - self.first) // self.step - 1)
        return self._from(number, shift, max(after, self.start))

    def _from(self, number: int, shift: int, after: datetime) -> Iterator[datetime]:
        while True:
            local = self._in(self.first + number * self.step, number - shift)
            if local > after:
                yield local
            number += 1

    def _in(self, month: int, number: int) -> datetime:
        year, month = month // 12, month % 12 + 1
        if year > 9998:
            raise OverflowError("no calendar goes that far")
        found = date(year, month, min(self.day, calendar.monthrange(year, month)[1]))
        if self.weekdays:
            weekday = self.weekdays[number % len(self.weekdays)]
            found += ((weekday - found.weekday()) % 7) * _DAY
        return datetime.combine(found, time()) + self.at


@dataclass(frozen=True, slots=True)
class Weekly(Local):
    """Some days of the week, at one time."""

    zone: ZoneInfo
    weekdays: frozenset[int]
    at: timedelta

    def locals(self, after: datetime) -> Iterator[datetime]:
        """Walk the days."""
        day = datetime.combine(after.date(), time())
        while True:
            if day.weekday() in self.weekdays and day + self.at > after:
                yield day + self.at
            day += _DAY


@dataclass(frozen=True, slots=True)
class WithinDays(Local):
    """Some days of the week, every `step` from midnight on.

    On the day on which the schedule began they are counted from then, unless the first of that day is yet to come.
    """

    zone: ZoneInfo
    weekdays: frozenset[int]
    step: timedelta
    start: datetime

    def locals(self, after: datetime) -> Iterator[datetime]:
        """Walk the days and their hours."""
        after = max(after, self.start)
        day = after.date()
        while True:
            if day.weekday() in self.weekdays:
                midnight = datetime.combine(day, time())
                begin = self.start if self.start - midnight >= self.step and day == self.start.date() else midnight
                number = max(0, (after - begin) // self.step) + 1
                local = begin + number * self.step
                while local < midnight + _DAY:
                    yield local
                    local += self.step
            day += _DAY


@dataclass(frozen=True, slots=True)
class Daily(Local):
    """Every so many days, at one time."""

    zone: ZoneInfo
    first: date
    step: int
    at: timedelta

    def locals(self, after: datetime) -> Iterator[datetime]:
        """Walk the days."""
        number = max(0, (after.date() - self.first).days // self.step)
        while True:
            local = datetime.combine(self.first, time()) + number * self.step * _DAY + self.at
            if local > after:
                yield local
            number += 1
