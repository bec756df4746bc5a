"""Reading an iCalendar file for `exclude`: its events as dates and spans, so that workers need no file."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from os import PathLike, fspath
from pathlib import Path
from typing import Any, Final

from triggers.base.errors import InvalidTrigger

#: Years that recurring events are written out for, before and after the present one.
YEARS_BEFORE, YEARS_AFTER = 1, 5

#: The largest file that is read, bytes, and the most events that are kept.
LARGEST, MOST = 4 * 2**20, 5_000

_WAY_OUT: Final = "give a list of dates such as ['2026-12-25'], or the path of an iCalendar file that ends in .ics"


def excluded(schedule: str, value: Any, today: date) -> Any:
    """Replace the path of an iCalendar file by what it excludes; leave anything else as it is.

    Raises:
        InvalidTrigger: the file cannot be read.
    """
    if not isinstance(value, (str, PathLike)):
        return value
    path = str(fspath(value))
    if not path.endswith(".ics"):
        raise InvalidTrigger(schedule, "exclude", path, _WAY_OUT)
    try:
        return _read(Path(path), today)
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise InvalidTrigger(schedule, "exclude", path, f"the file cannot be read as iCalendar: {error}") from error


def _read(path: Path, today: date) -> list[str]:
    content = path.read_bytes()
    if len(content) > LARGEST:
        raise ValueError(f"it is larger than {LARGEST:,} bytes")
    found = sorted(set(_events(content, today)))
    if len(found) > MOST:
        raise ValueError(f"it has more than {MOST:,} days and spans")
    return found


def _events(content: bytes, today: date) -> Iterator[str]:
    import icalendar  # two packages of a tenth of a second: only where a file is given
    import recurring_ical_events

    calendar = icalendar.Calendar.from_ical(content)
    first, last = date(today.year - YEARS_BEFORE, 1, 1), date(today.year + YEARS_AFTER + 1, 1, 1)
    for event in recurring_ical_events.of(calendar).between(first, last):
        start, end = event.start, event.end
        if isinstance(start, datetime):
            yield f"{start.isoformat(timespec='seconds')}/{end.isoformat(timespec='seconds')}"
            continue
        day = start
        while day < max(end, start + timedelta(days=1)):
            yield day.isoformat()
            day += timedelta(days=1)
