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

#: The current folder.
HERE: Final = Path()

#: Events are written out for so long at a time, so that too many are noticed before all are in memory.
_SPAN: Final = timedelta(days=31)

#: What recurs so often is not a holiday, and writing it out would not end.
_TOO_OFTEN: Final = ("SECONDLY", "MINUTELY")

_WAY_OUT: Final = "give a list of dates such as ['2026-12-25'], or the path of an iCalendar file that ends in .ics"


def excluded(schedule: str, value: Any, today: date, folder: Path | None = HERE) -> Any:
    """Replace the path of an iCalendar file by what it excludes; leave anything else as it is.

    Args:
        schedule: its name.
        value: the argument.
        today: around which recurring events are written out.
        folder: where a relative path begins. None if whoever wrote the path may read no files here.

    Raises:
        InvalidTrigger: the file cannot be read.
    """
    if not isinstance(value, (str, PathLike)):
        return value
    path = str(fspath(value))
    if not path.lower().endswith(".ics"):
        raise InvalidTrigger(schedule, "exclude", path, _WAY_OUT)
    if folder is None:
        way_out = (
            "no file is read for a text that is sent: give a list of dates, or apply a file with `clearml-triggers`"
        )
        raise InvalidTrigger(schedule, "exclude", path, way_out)
    try:
        return _read(folder / Path(path).expanduser(), today)
    except FileNotFoundError:
        where, beside = ("current folder is", "script") if folder == HERE else ("path begins in", "file of triggers")
        missing = f"there is no such file (the {where} {folder.absolute()})"
        way_out = f"{missing}: commit it with the {beside}, or give a list of dates"
        raise InvalidTrigger(schedule, "exclude", path, way_out) from None
    except Exception as error:  # whatever the parser makes of a broken file
        raise InvalidTrigger(schedule, "exclude", path, f"the file cannot be read as iCalendar: {error}") from error


def _read(path: Path, today: date) -> list[str]:
    with path.open("rb") as opened:
        content = opened.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise ValueError(f"it is larger than {LARGEST:,} bytes")
    found = set[str]()
    for text in _events(content, today):
        found.add(text)
        if len(found) > MOST:
            raise ValueError(f"it has more than {MOST:,} days and spans")
    return sorted(found)


def _events(content: bytes, today: date) -> Iterator[str]:
    import icalendar  # two packages of a tenth of a second: only where a file is given
    import recurring_ical_events

    calendar = icalendar.Calendar.from_ical(content)
    for event in calendar.walk("VEVENT"):
        if set(_TOO_OFTEN).intersection(event.get("RRULE", {}).get("FREQ", ())):
            raise ValueError(f"the event {event.get('SUMMARY', '')!r:.60} recurs every minute or second")
    query = recurring_ical_events.of(calendar)
    start, last = date(today.year - YEARS_BEFORE, 1, 1), date(today.year + YEARS_AFTER + 1, 1, 1)
    while start < last:
        for event in query.between(start, start + _SPAN):
            if event.get("STATUS") != "CANCELLED":
                yield from _texts(event.start, event.end)
        start += _SPAN


def _texts(start: date, end: date) -> Iterator[str]:
    """Write an event as the days or the span that it leaves out; one without a length leaves out its moment."""
    if isinstance(start, datetime) and isinstance(end, datetime):
        end = max(end, start + timedelta(seconds=1))
        yield f"{start.isoformat(timespec='seconds')}/{end.isoformat(timespec='seconds')}"
        return
    for number in range(max(1, (end - start).days)):
        yield (start + timedelta(days=number)).isoformat()
