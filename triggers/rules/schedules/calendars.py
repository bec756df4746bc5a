"""Calendars: when is the next nominal time after a moment? One class a way to say it. Pure.

A calendar keeps no state: its times follow from what was declared and from when the schedule began, so that every
process at any time gives the same. `original` has the calendars of the arguments that the original knows.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from bisect import bisect_right
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from operator import itemgetter
from typing import Final
from zoneinfo import ZoneInfo

from cronsim import CronSim

from triggers.rules.schedules.zones import LAST_MS, instant_of, local_of

#: Nominal times in a row that `Filtered` leaves out at most before it takes the calendar for over.
_LEFT_OUT: Final = 100_000


class Calendar(ABC):
    """Nominal times as instants, milliseconds since the epoch."""

    @abstractmethod
    def after(self, ms: int) -> int | None:
        """Give the first nominal time later than `ms`; None when there is none."""

    def between(self, after_ms: int, to_ms: int) -> Iterator[int]:
        """Give the nominal times later than `after_ms` and not later than `to_ms`, in order."""
        while (found := self.after(after_ms)) is not None and found <= to_ms:
            yield found
            after_ms = found

    def last(self, after_ms: int, to_ms: int) -> int | None:
        """Give the last of `between`; the work does not grow with their number, as long as they are spread evenly."""
        span = 1000
        while True:
            start = max(after_ms, to_ms - span)
            latest = None
            for latest in self.between(start, to_ms):  # noqa: B007 - the last one is wanted
                pass
            if latest is not None or start == after_ms:
                return latest
            span *= 2


@dataclass(frozen=True, slots=True)
class FixedStep(Calendar):
    """Every `step_ms`, counted from `start_ms`; elapsed time, which no change of the clocks alters."""

    start_ms: int
    step_ms: int

    def after(self, ms: int) -> int | None:
        """Give the next point of the grid; the start itself is not one."""
        passed = max(0, ms - self.start_ms)
        found = self.start_ms + (passed // self.step_ms + 1) * self.step_ms
        return found if found <= LAST_MS else None


@dataclass(frozen=True, slots=True)
class Moment(Calendar):
    """One moment."""

    at_ms: int

    def after(self, ms: int) -> int | None:
        """Give it as long as it is to come."""
        return self.at_ms if self.at_ms > ms else None


class Local(Calendar):
    """A calendar of local times: what a wall clock in the zone shows."""

    zone: ZoneInfo

    @abstractmethod
    def locals(self, after: datetime) -> Iterator[datetime]:
        """Give the naive local times later than `after`, in order."""

    def after(self, ms: int) -> int | None:
        """Give the first local time whose instant is later: a repeated hour and a gap bring some that are not."""
        if ms >= LAST_MS:
            return None
        try:
            for local in self.locals(local_of(ms, self.zone)):
                found = instant_of(local, self.zone)
                if found > ms:
                    return found if found <= LAST_MS else None
        except OverflowError:  # past the year 9999
            pass
        return None


@dataclass(frozen=True, slots=True)
class Cron(Local):
    """A cron expression of five fields, or of six with seconds first."""

    expression: str
    zone: ZoneInfo

    def locals(self, after: datetime) -> Iterator[datetime]:
        """Walk the expression on the wall clock."""
        return iter(CronSim(self.expression, after))


@dataclass(frozen=True, slots=True)
class Filtered(Calendar):
    """Another calendar without some of its times.

    Attributes:
        of: The calendar.
        zone: Where `days` begin and end.
        days: Local dates that are left out.
        spans: Spans [from, to) that are left out, ms; in order, and apart from one another.
        until_ms: The last moment that counts.
    """

    of: Calendar
    zone: ZoneInfo
    days: Collection[date] = frozenset()
    spans: tuple[tuple[int, int], ...] = ()
    until_ms: int = LAST_MS

    def after(self, ms: int) -> int | None:
        """Give the next time that is not left out."""
        for _ in range(_LEFT_OUT):
            found = self.of.after(ms)
            if found is None or found > self.until_ms:
                return None
            end_ms = self._end_of_span(found)
            if end_ms <= found and not (self.days and local_of(found, self.zone).date() in self.days):
                return found
            ms = max(found, end_ms - 1)
        return None

    def _end_of_span(self, ms: int) -> int:
        """When the last span that begins by a time ends, 0 if none does: later than that time if it is left out."""
        number = bisect_right(self.spans, ms, key=itemgetter(0))
        return self.spans[number - 1][1] if number else 0


@dataclass(frozen=True, slots=True)
class NotBefore(Calendar):
    """Another calendar from a moment on."""

    of: Calendar
    since_ms: int

    def after(self, ms: int) -> int | None:
        """Give the next time after that moment."""
        return self.of.after(max(ms, self.since_ms))


@dataclass(frozen=True, slots=True)
class First(Calendar):
    """The first time of another calendar since a moment, and no other."""

    of: Calendar
    since_ms: int

    def after(self, ms: int) -> int | None:
        """Give it as long as it is to come."""
        found = self.of.after(self.since_ms)
        return found if found is not None and found > ms else None


class Never(Calendar):
    """No time at all."""

    def after(self, ms: int) -> int | None:  # noqa: ARG002
        """Give none."""
        return None
