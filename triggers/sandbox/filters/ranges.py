"""Range filters, `[min, max]` with null for an open end: both ends belong to the range."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from .. import errors
from .paths import values_at
from .times import read_time


def range_filter(value: Any, field: str, *, time: bool) -> Callable[[dict[str, Any]], bool]:
    """A test for objects. With an open minimum it also lets pass those that do not have the field.

    NaN is in no range.
    """
    if not isinstance(value, list) or len(value) != 2:
        raise errors.invalid_request(f"Min and max values should be specified for range field {field}")
    low, high = value
    if low is None and high is None:
        wrong = f"At least one of min or max values should be provided for field {field}"
        raise errors.invalid_request(wrong)
    if time:
        low = None if low is None else read_time(low, field)
        high = None if high is None else read_time(high, field)
        if low is None and high is None:
            return lambda _: True
    parts = field.split(".")

    def passes(obj: dict[str, Any]) -> bool:
        found = [item for item in values_at(obj, parts) if item is not None]
        if not found:
            return low is None
        return any(_within(item, low, high) for item in found)

    return passes


def _within(value: Any, low: Any, high: Any) -> bool:
    if isinstance(value, float) and math.isnan(value):
        return False
    try:
        return (low is None or value >= low) and (high is None or value <= high)
    except TypeError:  # values of different types are in no order
        return False
