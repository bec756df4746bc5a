"""Types of the fields of a schedule: what is accepted for each argument, and what to give instead."""

from __future__ import annotations

import math
import re
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Annotated, Any, Final
from zoneinfo import ZoneInfo, available_timezones

from cronsim import CronSim, CronSimError
from pydantic import BeforeValidator, WithJsonSchema

from triggers.base.meant import meant
from triggers.model import durations
from triggers.model.values import wrong

WEEKDAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

#: The shortest time between two occurrences of `every`, ms.
SHORTEST_MS: Final = 1_000
#: The longest duration, ms: a hundred years.
LONGEST_MS: Final = 100 * 366 * 86_400_000
#: The longest jitter, seconds: a day.
LONGEST_JITTER: Final = 86_400

_CRON: Final = (
    "give five fields: minute, hour, day of month, month, day of week (such as '15 6 * * mon-fri'), or six with "
    "seconds first"
)
#: What a field of an expression may be, by the name that cronsim has for it.
_CRON_FIELDS: Final = {
    "second": "give 0 to 59, ranges such as 0-29, and steps such as */10",
    "minute": "give 0 to 59, ranges such as 0-29, and steps such as */15",
    "hour": "give 0 to 23, ranges such as 9-17, and steps such as */2",
    "day-of-month": "give 1 to 31, L (the last day), or LW (the last day from Monday to Friday), and a day that the "
    "month has",
    "month": "give 1 to 12 or jan to dec, and ranges that go upwards, such as oct-dec",
    "day-of-week": "give 0 to 7 or sun to sat, ranges that go upwards from sun to sat or from 1 to 7, such as mon-fri, "
    "5L (the last Friday), or mon#2 (the second Monday)",
}
#: Names that cron has for expressions.
_NAMED: Final = {
    "@hourly": "0 * * * *", "@daily": "0 0 * * *", "@midnight": "0 0 * * *", "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *", "@yearly": "0 0 1 1 *", "@annually": "0 0 1 1 *",
}  # fmt: skip
#: An offset as people and `datetime.timezone` write it.
_OFFSET: Final = re.compile(r"(?:UTC|GMT)?(?P<hours>[+-]\d{1,2})(?::?00)?", re.ASCII | re.IGNORECASE)
#: Names in the database that mean something else on each machine, or nothing.
_NO_ZONES: Final = ("localtime", "posixrules", "Factory")
_MOMENT: Final = "give a datetime or ISO 8601, such as '2026-12-24T18:00' (local) or '2026-12-24T18:00:00+01:00'"
_SOME_DAY: Final = datetime(2026, 1, 1, tzinfo=UTC).replace(tzinfo=None)


def _whole(value: Any) -> int | None:
    if value is None:
        return None
    if (
        isinstance(value, bool)
        or not isinstance(value, (int, float))
        or not math.isfinite(value)
        or value != int(value)
    ):
        raise wrong("give a whole number, 0 or more")
    if not 0 <= value <= 1_000_000:
        raise wrong("give a whole number from 0 to 1,000,000")
    return int(value)


def _weekdays(value: Any) -> tuple[str, ...]:
    if value is None:
        return ()
    if isinstance(value, (set, frozenset)):
        value = sorted(value, key=str)
    if not isinstance(value, (list, tuple)):
        raise wrong("give a list of days of the week, such as ['monday', 'friday']")
    for day in value:
        if day not in WEEKDAYS:
            raise wrong(f"{day!r} is not a day of the week; give some of {', '.join(WEEKDAYS)}{meant(day, WEEKDAYS)}")
    return tuple(dict.fromkeys(value))


def _cron(value: Any) -> str | None:
    if value is None or value == "":
        return None
    if not isinstance(value, str) or len(value) > 1000:
        raise wrong(_CRON)
    text = " ".join(value.split())
    if text.startswith("@"):
        if text.lower() not in _NAMED:
            raise wrong(f"give one of {', '.join(_NAMED)}{meant(text, _NAMED)}, or {_CRON.removeprefix('give ')}")
        text = _NAMED[text.lower()]
    try:
        found = next(iter(CronSim(text, _SOME_DAY)), None)
    except (CronSimError, ValueError, IndexError, AssertionError) as error:
        way_out = next((give for field, give in _CRON_FIELDS.items() if str(error) == f"Bad {field}"), _CRON)
        raise wrong(f"not a cron expression ({error}): {way_out}") from None
    if found is None:
        raise wrong("it names a day that does not exist; correct day of month and month")
    return text


def _duration(value: Any, shortest_ms: int) -> str | None:
    if value is None or value == "":
        return None
    try:
        ms = durations.duration_ms(value)
    except ValueError as error:
        raise wrong(str(error)) from None
    if not shortest_ms <= ms <= LONGEST_MS:
        raise wrong(f"give {durations.duration_text(shortest_ms)} or more, and at most 100 years")
    return durations.duration_text(ms)


def _moment(value: Any) -> str | None:
    if value is None or value == "":
        return None
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value[:-1] + "+00:00" if value.endswith(("Z", "z")) else value)
        except ValueError:
            raise wrong(_MOMENT) from None
    if isinstance(value, date) and not isinstance(value, datetime):
        value = datetime(value.year, value.month, value.day)
    if not isinstance(value, datetime):
        raise wrong(_MOMENT)
    if not 1970 < value.year < 9990:
        raise wrong("give a moment from 1971 to 9989")
    return value.isoformat(timespec="milliseconds" if value.microsecond else "seconds")


def _zone(value: Any) -> str:
    if value is None or value == "":
        return "UTC"
    if isinstance(value, ZoneInfo):
        value = value.key
    if value is UTC:
        return "UTC"
    known = _zones()
    if not isinstance(value, str) or value not in known:
        near = _fixed(value) or _of_city(value, known) or meant(value, known)
        raise wrong(f"not a time zone of the IANA database; give one such as 'Europe/Berlin' or 'UTC'{near}")
    return value


def _fixed(value: Any) -> str:
    """Say which zone has a fixed offset such as "+01:00", whose signs are the other way round; "" if none has."""
    found = _OFFSET.fullmatch(str(value))
    hours = int(found["hours"]) if found else 0
    name = f"Etc/GMT{hours:+d}".translate(str.maketrans("+-", "-+"))
    return f"; the zone of this fixed offset is {name!r}" if hours and name in _zones() else ""


def _of_city(value: Any, known: frozenset[str]) -> str:
    """Say which zone is the only one of a city."""
    found = [name for name in known if name.rpartition("/")[2].casefold() == str(value).casefold()]
    return f"; did you mean {found[0]!r}?" if len(found) == 1 else ""


@cache
def _zones() -> frozenset[str]:
    """The names that mean the same everywhere; looking for them reads hundreds of files."""
    return frozenset(available_timezones()).difference(_NO_ZONES)


def _jitter(value: Any) -> float:
    if value is None or value == "":
        return 0.0
    if isinstance(value, (str, timedelta)):
        try:
            value = durations.duration_ms(value) / 1000
        except ValueError as error:
            raise wrong(f"{error}, or a number of seconds") from None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= LONGEST_JITTER:
        raise wrong(f"give a number of seconds from 0 to {LONGEST_JITTER:,}")
    return float(value)


def _exclude(value: Any) -> tuple[str, ...]:
    """Dates, and spans "FROM/TO" as an iCalendar file is kept."""
    if value is None:
        return ()
    if isinstance(value, (str, date)) or not isinstance(value, (list, tuple, set, frozenset)):
        raise wrong(
            "give a list of dates such as ['2026-12-25'], or in a script or a file of triggers the path of an "
            "iCalendar file that ends in .ics"
        )
    return tuple(sorted(dict.fromkeys(_excluded(one) for one in value)))


def _excluded(one: Any) -> str:
    if isinstance(one, date) and not isinstance(one, datetime):
        return one.isoformat()
    try:
        if isinstance(one, str) and "/" in one:
            return _span(*one.split("/", 1))
        if isinstance(one, str):
            return date.fromisoformat(one).isoformat()
    except (ValueError, OverflowError):
        pass
    if isinstance(one, str) and _is_reversed(*one.partition("/")[::2]):
        raise wrong(f"{one!r} ends before it begins; give spans such as '2026-12-24/2027-01-02'")
    raise wrong(f"{one!r} is not a date; give dates such as '2026-12-25', and spans such as '2026-12-24/2027-01-02'")


def _span(start: str, end: str) -> str:
    """Read a span: two dates, of which the last is in it, or two moments, of which the last is not."""
    try:
        after: Any = date.fromisoformat(end) + timedelta(days=1)
        date.fromisoformat(start)
    except ValueError:
        after = end
    first, last = _moment(start), _moment(after)
    if not first or not last or not _in_order(datetime.fromisoformat(first), datetime.fromisoformat(last)):
        raise ValueError(f"no span: {start}/{end}")
    return f"{first}/{last}"


def _is_reversed(start: str, end: str) -> bool:
    """Whether the two ends of a span are a span the other way round."""
    try:
        return bool(end and _span(end, start))
    except (ValueError, OverflowError):
        return False


def _in_order(first: datetime, last: datetime) -> bool:
    """Whether one moment is before another; where only one has an offset, the schedule's time zone decides."""
    return (first.tzinfo is None) != (last.tzinfo is None) or first <= last


Whole = Annotated[int | None, BeforeValidator(_whole)]
Weekdays = Annotated[
    tuple[str, ...],
    BeforeValidator(_weekdays),
    WithJsonSchema({"type": "array", "items": {"enum": list(WEEKDAYS)}}),
]
CronExpression = Annotated[str | None, BeforeValidator(_cron)]
Every = Annotated[str | None, BeforeValidator(lambda value: _duration(value, SHORTEST_MS))]
Window = Annotated[str, BeforeValidator(lambda value: _duration(value, 0) or "1d")]
When = Annotated[str | None, BeforeValidator(_moment)]
Zone = Annotated[str, BeforeValidator(_zone)]
Jitter = Annotated[
    float,
    BeforeValidator(_jitter),
    WithJsonSchema({"anyOf": [{"type": "number"}, {"type": "string"}]}),
]
Excluded = Annotated[
    tuple[str, ...],
    BeforeValidator(_exclude),
    WithJsonSchema(
        {"anyOf": [{"type": "array", "items": {"type": "string"}}, {"type": "string", "pattern": r"\.[Ii][Cc][Ss]$"}]}
    ),
]
