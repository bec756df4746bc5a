"""The calendar of a schedule, made of what was declared and of when the schedule began. Pure."""

from __future__ import annotations

from datetime import date, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from triggers.model.durations import duration_ms
from triggers.model.schedule_fields import ScheduleConditions
from triggers.rules.schedules import original
from triggers.rules.schedules.calendars import Calendar, Cron, Filtered, First, FixedStep, Moment, Never, NotBefore
from triggers.rules.schedules.zones import LAST_MS, instant_of, to_ms, zone_of


def calendar_for(schedule: ScheduleConditions, since_ms: int, edited_ms: int = 0) -> Calendar:
    """Make the calendar of a schedule that began at `since_ms`: its times are later than that.

    A schedule that runs at once when it is declared has no other time when it does not recur.

    Args:
        schedule: what was declared.
        since_ms: from which elapsed time is counted.
        edited_ms: when its times were changed last; earlier ones were never its own.
    """
    zone, from_ms = zone_of(schedule.timezone), max(since_ms, edited_ms)
    found = NotBefore(_unfiltered(schedule, since_ms, zone), from_ms)
    days, spans = _excluded(schedule.exclude, zone)
    until_ms = LAST_MS if schedule.until is None else moment_ms(schedule.until, zone)
    filtered = Filtered(found, zone, days, spans, until_ms)
    if schedule.recurring:
        return filtered
    return Never() if schedule.execute_immediately else First(filtered, from_ms)


def _unfiltered(schedule: ScheduleConditions, since_ms: int, zone: ZoneInfo) -> Calendar:
    if schedule.cron is not None:
        return Cron(schedule.cron, zone)
    if schedule.every is not None:
        return FixedStep(since_ms, duration_ms(schedule.every))
    if schedule.at is not None:
        return Moment(moment_ms(schedule.at, zone))
    if any((schedule.minute, schedule.hour, schedule.day, schedule.month, schedule.year)):
        return original.calendar_of(schedule, since_ms)
    return Never()


def moment_ms(text: str, zone: ZoneInfo) -> int:
    """Read a moment in ISO 8601; one without an offset is local time of the schedule."""
    moment = datetime.fromisoformat(text)
    return instant_of(moment, zone) if moment.tzinfo is None else to_ms(moment)


@lru_cache(maxsize=256)
def _excluded(texts: tuple[str, ...], zone: ZoneInfo) -> tuple[frozenset[date], tuple[tuple[int, int], ...]]:
    """Read the days, and the spans in order, that are left out: a calendar file has thousands, and calendars are made
    at every tick.
    """
    spans: list[tuple[int, int]] = []
    for start, end in sorted(_span(text, zone) for text in texts if "/" in text):
        if spans and start <= spans[-1][1]:
            spans[-1] = (spans[-1][0], max(end, spans[-1][1]))
        else:
            spans.append((start, end))
    return frozenset(date.fromisoformat(text) for text in texts if "/" not in text), tuple(spans)


def _span(text: str, zone: ZoneInfo) -> tuple[int, int]:
    start, _, end = text.partition("/")
    return moment_ms(start, zone), moment_ms(end, zone)
