"""Local times over ten years in twenty zones, against a calculation that knows of no calendar: it watches a clock.

The other calculation takes its zones from `dateutil`, and where the clocks change it looks at every minute: the
occurrence is the first minute at which the clock on the wall shows the time, or has passed it by.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import Any

import pytest
from dateutil import tz

from triggers.model import make_trigger
from triggers.rules.schedules import calendar_for
from triggers.rules.schedules.zones import local_text, to_ms, zone_of

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
FIRST, LAST = date(2008, 1, 2), date(2017, 12, 30)
TASK = {"type": "task", "base_task_id": "base", "queue": "q"}
ZONES = (
    "UTC", "Europe/Berlin", "Europe/London", "Europe/Istanbul", "Europe/Moscow", "America/New_York", "America/St_Johns",
    "America/Sao_Paulo", "America/Havana", "America/Caracas", "America/Santiago", "Africa/Cairo", "Africa/Casablanca",
    "Asia/Kathmandu", "Asia/Tehran", "Asia/Gaza", "Australia/Lord_Howe", "Australia/Adelaide", "Pacific/Apia",
    "Pacific/Auckland",
)  # fmt: skip
TIMES = (time(0, 0), time(0, 30), time(2, 30), time(23, 59))


def watched(zone: str, at: time) -> Iterator[datetime]:
    """When a clock on the wall first shows a time, day by day."""
    wall = tz.gettz(zone)
    assert wall is not None

    def shown(moment: datetime) -> datetime:
        return moment.astimezone(wall).replace(tzinfo=None, fold=0)

    day = FIRST
    while day <= LAST:
        naive = datetime.combine(day, at)
        around = [naive.replace(tzinfo=UTC) + timedelta(hours=hours) for hours in (-40, 40)]
        offsets = {one.astimezone(wall).utcoffset() for one in around}
        moment = naive.replace(tzinfo=UTC) - (around[0].astimezone(wall).utcoffset() or timedelta())
        if len(offsets) > 1:
            moment = around[0]
            while shown(moment) < naive:
                moment += MINUTE
        yield moment
        day += DAY


def without_repeats(times: Iterator[datetime]) -> list[datetime]:
    """A day that the clocks leave out altogether has its time when the next begins, and that may be one as well."""
    return list(dict.fromkeys(times))


def calendars(zone: str, at: time) -> Iterator[Any]:
    yield {"cron": f"{at.minute} {at.hour} * * *", "timezone": zone}
    if at.hour or at.minute:
        yield {"day": 1, "hour": at.hour, "minute": at.minute, "timezone": zone}
    everyday = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
    yield {"day": 1, "weekdays": everyday, "hour": at.hour, "minute": at.minute, "timezone": zone}


@pytest.mark.parametrize("zone", ZONES)
def test_every_day_fires_once_at_its_local_time(zone: str) -> None:
    began = to_ms(datetime(2007, 12, 20, tzinfo=UTC))
    for at in TIMES:
        expected = [to_ms(moment) for moment in without_repeats(watched(zone, at))]
        for fields in calendars(zone, at):
            calendar = calendar_for(make_trigger("schedule", name="n", action=TASK, **fields), began)
            found = list(calendar.between(expected[0] - 1, expected[-1]))
            wrong = sorted(set(found) ^ set(expected))[:4]
            assert found == expected, (fields, [local_text(ms, zone_of(zone)) for ms in wrong])


@pytest.mark.parametrize("zone", ZONES)
def test_elapsed_time_knows_no_change_of_the_clocks(zone: str) -> None:
    began = to_ms(datetime(2008, 1, 1, 7, 3, 5, tzinfo=UTC))
    for fields, step_ms in (({"every": "90m"}, 5_400_000), ({"minute": 45}, 2_700_000), ({"hour": 6}, 21_600_000)):
        trigger = make_trigger("schedule", name="n", action=TASK, timezone=zone, **fields)
        found = list(calendar_for(trigger, began).between(began, began + 400 * 86_400_000))
        assert {two - one for one, two in pairwise(found)} == {step_ms}
        assert 0 < found[0] - began <= step_ms
