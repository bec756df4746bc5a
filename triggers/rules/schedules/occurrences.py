"""Occurrences: which nominal times of a schedule are due, and what becomes of those that were missed. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from triggers.model.events import Event
from triggers.model.schedule_fields import AT_ONCE, ONLY_ONCE, SCHEDULE
from triggers.model.trigger import ScheduleTrigger, Trigger
from triggers.rules.schedules.build import calendar_for
from triggers.rules.schedules.calendars import Calendar
from triggers.rules.schedules.wall_clocks import WallClocks
from triggers.rules.schedules.zones import LAST_MS, local_text, to_ms, utc_text, zone_of

#: What is later by more was missed, ms: workers that are replaced, or a beat that is taken over, do not miss anything.
GRACE_MS = 60_000

#: The run at once waits for a worker so long at least, whatever `catch_up` says of the times that follow, ms.
AT_ONCE_MS = 86_400_000

#: Occurrences of one schedule that one look grants at most; the next look goes on behind them.
AT_MOST = 1_000


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One time of a schedule.

    Attributes:
        id: Its identity, of which the key of its firing is made: the nominal time in UTC. The time of a schedule that
            does not recur, and that at once after the registration, have names of their own, so that they stay the
            same where Redis forgets when that was.
        at_ms: The nominal time.
        due_ms: When it is due: later by the jitter.
    """

    id: str
    at_ms: int
    due_ms: int

    @classmethod
    def from_id(cls, id_: str) -> Occurrence | None:
        """Read the id of a nominal time; None if it has another form."""
        try:
            ms = to_ms(datetime.fromisoformat(id_.replace("Z", "+00:00")))
        except ValueError:
            return None
        return cls(id_, ms, ms) if utc_text(ms) == id_ else None


def event_of(schedule: str, occurrence: Occurrence, zone: str) -> Event:
    """Make the event of an occurrence of a schedule of that name."""
    at = local_text(occurrence.at_ms, zone_of(zone))
    return Event(SCHEDULE, occurrence.id, occurrence.at_ms, name=schedule, at=at)


def jitter_of(name: str, id_: str, jitter_ms: int) -> int:
    """How much later than its nominal time an occurrence is due, `jitter_ms` at most: every observer finds the same."""
    if not jitter_ms:
        return 0
    digest = hashlib.sha256(f"{name}\0{id_}".encode()).digest()
    return int.from_bytes(digest[:8], "big") % (jitter_ms + 1)


@dataclass(frozen=True, slots=True)
class Timetable:
    """A registered schedule with its calendar.

    Attributes:
        trigger: The schedule.
        since_ms: When it began.
        calendar: Its times.
        jitters: The jitters of before it was edited, oldest first: the last nominal time that each counts for, and the
            jitter, ms. So an edit neither loses nor moves what waits for its delay.
    """

    trigger: ScheduleTrigger
    since_ms: int
    calendar: Calendar
    jitters: tuple[tuple[int, int], ...] = ()

    @classmethod
    def of(
        cls, trigger: Trigger, since_ms: int, edited_ms: int = 0, jitters: tuple[tuple[int, int], ...] = ()
    ) -> Timetable:
        """Make it ready; once for each version of its entry in the registry.

        Raises:
            TypeError: it is not a schedule.
        """
        if not isinstance(trigger, ScheduleTrigger):
            raise TypeError(f"{trigger.id} is not a schedule")
        return cls(trigger, since_ms, calendar_for(trigger, since_ms, edited_ms), jitters)

    def looked_ms(self, walls: WallClocks) -> int:
        """Up to when its times were looked at."""
        zone = self.trigger.timezone
        return walls.looked_ms(zone) if self.trigger.by_wall_clock and zone != "UTC" else walls.read_to_ms

    def occurrences(self, after_ms: int, to_ms: int) -> Iterator[Occurrence]:
        """Give those that are due later than `after_ms` and not later than `to_ms`, in order of their nominal times."""
        yield from self._at_once(after_ms, to_ms)
        yield from self._nominal(after_ms, to_ms)

    def _at_once(self, after_ms: int, to_ms: int) -> Iterator[Occurrence]:
        if self.trigger.execute_immediately and after_ms < self.since_ms <= to_ms:
            yield Occurrence(AT_ONCE, self.since_ms, self.since_ms)

    def _nominal(self, after_ms: int, to_ms: int) -> Iterator[Occurrence]:
        for at_ms in self.calendar.between(after_ms - self._most_jitter_ms, to_ms):
            one = self._occurrence(at_ms)
            if after_ms < one.due_ms <= to_ms:
                yield one

    def _occurrence(self, at_ms: int) -> Occurrence:
        id_ = utc_text(at_ms) if self.trigger.recurring else ONLY_ONCE
        return Occurrence(id_, at_ms, at_ms + jitter_of(self.trigger.name, id_, self._longest_jitter(at_ms)))

    def _longest_jitter(self, at_ms: int) -> int:
        """None is delayed up to the next: so what is due first is the earlier one."""
        jitter_ms = next((ms for until_ms, ms in self.jitters if at_ms <= until_ms), self.trigger.jitter_ms)
        if not jitter_ms:
            return 0
        next_ms = self.calendar.after(at_ms)
        return min(jitter_ms, (LAST_MS if next_ms is None else next_ms) - at_ms - 1)

    @property
    def _most_jitter_ms(self) -> int:
        return max([self.trigger.jitter_ms, *(ms for _, ms in self.jitters)])

    def next_due_ms(self, after_ms: int) -> int | None:
        """When the next occurrence is due, or a moment before that; None when there is none."""
        if self.trigger.execute_immediately and after_ms < self.since_ms:
            return self.since_ms
        times = self.calendar.between(after_ms - self._most_jitter_ms, LAST_MS)
        return next((due_ms for at_ms in times if (due_ms := self._occurrence(at_ms).due_ms) > after_ms), None)

    def coming(self, after_ms: int, to_ms: int, at_most: int) -> list[Occurrence]:
        """Give the next occurrences by their nominal time, for people."""
        return [self._occurrence(at_ms) for at_ms in islice(self.calendar.between(after_ms, to_ms), at_most)]

    def due(self, after_ms: int, now_ms: int) -> Due:
        """Choose what to grant of the times later than `after_ms`, up to now.

        Those of the last minute are on time. Of those before, missed while nobody looked, `catch_up` says which are
        made up for, as far as they are in the window: all, or only the last time of all, or none. The run at once
        has no nominal time that can be missed: it waits for the first look.
        """
        window_ms = max(self.trigger.window_ms, GRACE_MS)
        first = tuple(self._at_once(max(after_ms, now_ms - max(window_ms, AT_ONCE_MS)), now_ms))
        after_ms = max(after_ms, now_ms - window_ms - self._most_jitter_ms)
        on_time_ms = now_ms - GRACE_MS
        if self.trigger.catch_up == "none":
            after_ms = max(after_ms, on_time_ms)
        elif self.trigger.catch_up == "last" and self._missed(after_ms, on_time_ms):
            last = self._last(after_ms, now_ms)
            return Due((last,) if last else (), now_ms)
        found = tuple(islice(self._nominal(after_ms, now_ms), AT_MOST))
        return Due(first + found, now_ms if len(found) < AT_MOST else max(one.due_ms for one in found))

    def _missed(self, after_ms: int, to_ms: int) -> bool:
        return next(self.occurrences(after_ms, to_ms), None) is not None

    def _last(self, after_ms: int, to_ms: int) -> Occurrence | None:
        """Find the last by nominal time; the work does not grow with their number."""
        span = 1000
        while True:
            start = max(after_ms, to_ms - span)
            latest = max(self.occurrences(start, to_ms), key=lambda one: one.at_ms, default=None)
            if latest is not None or start == after_ms:
                return latest
            span *= 2


@dataclass(frozen=True, slots=True)
class Due:
    """What to grant, and up to when everything has been looked at."""

    occurrences: tuple[Occurrence, ...]
    to_ms: int
