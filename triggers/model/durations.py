"""Durations as people write them: "90m", "5s", "1h30m", or a `timedelta`."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Final

_UNITS: Final = {"w": 604_800_000, "d": 86_400_000, "h": 3_600_000, "m": 60_000, "s": 1_000, "ms": 1}
_PART: Final = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|[wdhms])")
_WHOLE: Final = re.compile(rf"(?:\s*{_PART.pattern})+\s*")

#: How to write one, for errors.
WAY_OUT: Final = "give a duration such as '90m', '5s' or '1h30m' (units w, d, h, m, s), or a timedelta"


def duration_ms(value: object) -> int:
    """Read a duration as whole milliseconds.

    Raises:
        ValueError: the value is not a duration; the message says what to give instead.
    """
    if isinstance(value, timedelta):
        return value // timedelta(milliseconds=1)
    if not isinstance(value, str) or len(value) > 100 or not _WHOLE.fullmatch(value):
        raise ValueError(WAY_OUT)
    return round(sum(float(number) * _UNITS[unit] for number, unit in _PART.findall(value)))


def duration_text(ms: int) -> str:
    """Write milliseconds in the largest units that fit: "1h30m"."""
    parts = []
    for unit, size in _UNITS.items():
        if unit != "w" and ms >= size:
            parts.append(f"{ms // size}{unit}")
            ms %= size
    return "".join(parts) or "0s"
