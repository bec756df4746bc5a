"""Times in filters: `[">=2026-01-31T12:00:00Z", "<..."]`; stored times are texts that sort as times do."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from .. import errors
from ..clock import stamp

_OPERATOR = re.compile(r"(>=|>|<=|<)?(.*)", re.S)
_FRACTION = re.compile(r"\.(\d+)")

_TESTS: dict[str, Callable[[str, str], bool]] = {
    ">": lambda value, bound: value > bound,
    ">=": lambda value, bound: value >= bound,
    "<": lambda value, bound: value < bound,
    "<=": lambda value, bound: value <= bound,
}


def read_time(text: Any, field: str) -> str | None:
    """A time of a request as it would be stored: UTC, cut to milliseconds; without a zone it is UTC.

    None: a text that cannot be read as a time, which counts as not given.

    Raises:
        ApiError: 400/16, it is not a text.
    """
    if not isinstance(text, str):
        wrong = f"expected string or bytes-like object, got '{type(text).__name__}'"
        raise errors.bad_value("failed parsing query field", error=wrong, field=field)
    text = text.strip()
    try:
        if text.replace(".", "", 1).isdigit() and len(text.partition(".")[0]) > 8:
            return stamp(float(text))
        padded = _FRACTION.sub(lambda m: "." + m.group(1)[:6].ljust(6, "0"), text.replace("Z", "+00:00"))
        value = datetime.fromisoformat(padded)
    except ValueError:
        return None
    value = value if value.tzinfo else value.replace(tzinfo=UTC)
    value = value.astimezone(UTC)
    return f"{value:%Y-%m-%dT%H:%M:%S}.{value.microsecond // 1000:03d}000+00:00"


class Times:
    """A filter on one time, read: all of the comparisons hold, and any of the plain values if there are some.

    False if nothing in it could be read: then it is not a filter.
    """

    def __init__(self, value: Any, field: str) -> None:
        self.bounds: list[tuple[str, str]] = []
        self.values: list[str] = []
        for item in value if isinstance(value, list) else [value]:
            found = _OPERATOR.match(item) if isinstance(item, str) else None
            operator, text = found.groups() if found else (None, item)
            time = read_time(text, field)
            if time is not None and operator:
                self.bounds.append((operator, time))
            elif time is not None:
                self.values.append(time)

    def __bool__(self) -> bool:
        return bool(self.bounds or self.values)

    def accepts(self, value: str | None) -> bool:
        """True if an object with this time passes; one without it does not."""
        if value is None:
            return False
        for operator, bound in self.bounds:
            if not _TESTS[operator](value, bound):
                return False
        return not self.values or value in self.values

    def since(self) -> tuple[str, bool] | None:
        """The latest lower bound, and whether it is a strict one."""
        lower = [(bound, operator == ">") for operator, bound in self.bounds if operator[0] == ">"]
        if self.values and not self.bounds:
            lower.append((min(self.values), False))
        return max(lower) if lower else None
