"""Times as people write and read them."""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import UTC, datetime
from typing import Final

from triggers.base.errors import Usage

_UNITS: Final = {"s": 1, "m": 60, "min": 60, "h": 3600, "d": 86_400, "w": 604_800}
#: The last moment that is read.
_LAST_MS: Final = int(datetime(9998, 12, 31, tzinfo=UTC).timestamp() * 1000)
_PART: Final = re.compile(r"(\d+(?:\.\d+)?)\s*(s|min|m|h|d|w)\s*")
_SPAN: Final = re.compile(f"(?:{_PART.pattern})+")


def span_ms(text: str, option: str) -> int:
    """Read a length of time such as "90s", "15m", "1h30m", "7d".

    Raises:
        Usage: names the option, the value, and what to give instead.
    """
    if not _SPAN.fullmatch(text.strip()):
        raise Usage(f"{option} {text!r}: give a length of time such as 90s, 15m, 1h30m, 7d")
    return int(sum(float(count) * _UNITS[unit] for count, unit in _PART.findall(text)) * 1000)


def time_ms(text: str, now_ms: int, option: str) -> int:
    """Read a moment: how long ago ("2h"), or an ISO time, which is local where it names no zone.

    Raises:
        Usage: names the option, the value, and what to give instead.
    """
    if text.strip() == "now":
        return now_ms
    try:
        if _SPAN.fullmatch(text.strip()):
            return _shown(now_ms - span_ms(text, option))
        return _shown(int(datetime.fromisoformat(text.strip()).timestamp() * 1000))
    except (ValueError, OverflowError):
        raise Usage(
            f"{option} {text!r}: give how long ago (90s, 15m, 2h, 7d) or a time such as 2026-11-22T18:00"
        ) from None


def _shown(ms: int) -> int:
    """The nearest moment that can be written in every zone: nothing here is earlier than 1970, or later than 9998."""
    return min(max(ms, 1), _LAST_MS)


def until_ms(text: str, now_ms: int, option: str) -> int:
    """Read a moment to come: in how long ("7d"), or an ISO time.

    Raises:
        Usage: names the option, the value, and what to give instead.
    """
    with suppress(Usage, ValueError, OverflowError):
        if _SPAN.fullmatch(text.strip()):
            return _shown(now_ms + span_ms(text, option))
        if (found := time_ms(text, now_ms, option)) > now_ms:
            return found
    raise Usage(f"{option} {text!r}: give how long from now (2h, 7d) or a time to come, such as 2026-12-24T18:00")


def iso(ms: int | None) -> str | None:
    """A moment for machines: ISO 8601 in UTC."""
    if not ms:
        return None
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds")


def local(ms: int | None) -> str:
    """A moment for people, in their zone; "" for none."""
    return datetime.fromtimestamp(ms / 1000).strftime("%Y-%m-%d %H:%M:%S") if ms else ""


def local_with_zone(ms: int) -> str:
    """A moment for people, in their zone and with its name: "2026-11-28 09:00:00 CET"."""
    return datetime.fromtimestamp(ms / 1000).astimezone().strftime("%Y-%m-%d %H:%M:%S %Z")


def clock(ms: int, now_ms: int) -> str:
    """A moment for people, as short as it can be: the time of this day, else with the date."""
    moment, now = datetime.fromtimestamp(ms / 1000), datetime.fromtimestamp(now_ms / 1000)
    return moment.strftime("%H:%M:%S" if moment.date() == now.date() else "%m-%d %H:%M")


def span(ms: float) -> str:
    """A length of time for people, in its largest unit."""
    seconds = abs(ms) / 1000
    for unit, size in (("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * size or (unit != "d" and seconds >= size):
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s" if seconds >= 1 else f"{abs(ms):.0f} ms"


def ago(ms: int | None, now_ms: int) -> str:
    """How long ago, for people; "never" for none."""
    if not ms:
        return "never"
    return f"{span(now_ms - ms)} ago" if now_ms - ms >= 1000 else "now"
