"""Times around every change of the clocks, against somebody who watches a clock on the wall minute by minute.

A local time runs when the clock first shows it, or has passed it by: at the end of a gap, at the first of two. The
clock is `dateutil`'s, and what it shows at its latest is remembered: what it shows again is not a new time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from dateutil import tz

from triggers.model import make_trigger
from triggers.rules.schedules import calendar_for
from triggers.rules.schedules.zones import local_text, to_ms, zone_of

TASK = {"type": "task", "base_task_id": "base", "queue": "q"}
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
#: Hours before and after a change that are watched.
AROUND = 5 * HOUR
FIRST, LAST = datetime(1994, 1, 1, tzinfo=UTC), datetime(2018, 1, 1, tzinfo=UTC)
#: Changes of one zone that are watched, the most unlike ones of them.
MOST = 14
ZONES = (
    "Africa/Cairo", "Africa/Casablanca", "Africa/Tripoli", "Africa/Windhoek", "America/Asuncion", "America/Caracas",
    "America/Godthab", "America/Havana", "America/New_York", "America/Santiago", "America/Sao_Paulo",
    "America/Scoresbysund", "America/St_Johns", "Antarctica/Casey", "Antarctica/Troll", "Asia/Amman", "Asia/Baku",
    "Asia/Beirut", "Asia/Damascus", "Asia/Gaza", "Asia/Pyongyang", "Asia/Tehran", "Atlantic/Azores",
    "Australia/Adelaide", "Australia/Lord_Howe", "Europe/Berlin", "Europe/Istanbul", "Europe/Lisbon", "Europe/London",
    "Europe/Volgograd", "Pacific/Apia", "Pacific/Chatham", "Pacific/Easter", "Pacific/Fakaofo", "Pacific/Fiji",
    "Pacific/Kiritimati",
)  # fmt: skip

#: Cron expressions, and by which local times somebody who knows no cron would say the same.
EXPRESSIONS: dict[str, Callable[[datetime], bool]] = {
    "*/15 * * * *": lambda at: at.minute % 15 == 0,
    "30 0-3,23 * * *": lambda at: at.minute == 30 and at.hour in (0, 1, 2, 3, 23),
    "0 0,2 * * *": lambda at: at.minute == 0 and at.hour in (0, 2),
    "59 * * * sat,sun": lambda at: at.minute == 59 and at.weekday() >= 5,
    "10 0 1 * *": lambda at: (at.day, at.hour, at.minute) == (1, 0, 10),
}


def shown(moment: datetime, wall: tz.tzfile) -> datetime:
    return moment.astimezone(wall).replace(tzinfo=None, fold=0)


def changes(wall: tz.tzfile) -> Iterator[datetime]:
    """The first hours with another offset, one of each kind: how far it jumps, from what time of the day on."""
    known, moment, offset = set(), FIRST, FIRST.astimezone(wall).utcoffset()
    while moment < LAST and len(known) < MOST:
        moment += 6 * HOUR
        if (found := moment.astimezone(wall).utcoffset()) != offset:
            start = moment - 6 * HOUR
            while (start + HOUR).astimezone(wall).utcoffset() == offset:
                start += HOUR
            kind = (found - offset, shown(start, wall).hour)  # type: ignore[operator]
            if kind not in known:
                known.add(kind)
                yield start
            offset = found


def watched(start: datetime, wall: tz.tzfile) -> Iterator[tuple[datetime, list[datetime]]]:
    """Moments, minute by minute, and the local times that have come by then for the first time."""
    moment, latest = start, shown(start, wall)
    while moment < start + 2 * AROUND:
        moment += MINUTE
        now = shown(moment, wall)
        yield moment, [latest + number * MINUTE for number in range(1, (now - latest) // MINUTE + 1)]
        latest = max(latest, now)


@pytest.mark.parametrize("zone", ZONES)
def test_a_local_time_runs_when_a_clock_on_the_wall_first_has_it(zone: str) -> None:
    wall = tz.gettz(zone)
    assert isinstance(wall, tz.tzfile)
    calendars = {
        text: calendar_for(make_trigger("schedule", name="n", action=TASK, cron=text, timezone=zone), to_ms(FIRST))
        for text in EXPRESSIONS
    }
    seen = 0
    for change in changes(wall):
        seen += 1
        start = change - AROUND
        expected: dict[str, list[int]] = {text: [] for text in EXPRESSIONS}
        for moment, times in watched(start, wall):
            for text, says in EXPRESSIONS.items():
                if any(map(says, times)):
                    expected[text].append(to_ms(moment))
        for text, calendar in calendars.items():
            found = list(calendar.between(to_ms(start), to_ms(start + 2 * AROUND)))
            wrong = [local_text(ms, zone_of(zone)) for ms in sorted(set(found) ^ set(expected[text]))]
            assert found == expected[text], (text, change, wrong)
            assert all(one < two for one, two in pairwise(found))
    assert seen
