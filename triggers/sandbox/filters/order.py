"""Order of values of any type, as a document database sorts them: null, numbers, texts, others."""

from __future__ import annotations

import math
from typing import Any

from .paths import value_at

Json = dict[str, Any]


def sort_key(value: Any) -> tuple[int, Any]:
    """A key that orders values of different types; NaN comes before all numbers."""
    if isinstance(value, list):
        return min(map(sort_key, value), default=(0, 0))
    if isinstance(value, bool):
        return (4, value)
    if isinstance(value, (int, float)):
        return (1, -math.inf) if math.isnan(value) else (1, value)
    if isinstance(value, str):
        return (2, value)
    return (0, 0) if value is None else (3, 0)


def ordered(objects: list[Json], order: list[tuple[str, bool]]) -> list[Json]:
    """The objects by one or several fields, each ascending or descending."""
    for path, descending in reversed(order):
        objects = sorted(objects, key=lambda obj: sort_key(value_at(obj, path)), reverse=descending)
    return objects
