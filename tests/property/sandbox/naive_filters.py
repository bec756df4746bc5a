"""List filters evaluated the slow and obvious way, written from the recorded facts apart from the sandbox's code."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

Json = dict[str, Any]
OPERATORS = ("__$all", "__$and", "__$any", "__$or", "__$not")


def found(obj: Json, path: str) -> list[Any]:
    """All values that a path leads to."""
    at: list[Any] = [obj]
    for part in path.split("."):
        at = [value[part] for value in at if isinstance(value, dict) and part in value]
    return [item for value in at for item in (value if isinstance(value, list) else [value])]


def list_holds(values: list[Any], wanted: list[Any]) -> bool:
    """A list filter: reads the wanted values from left to right, as a person would."""
    if not wanted:
        return True
    spelled_out = any(item in OPERATORS for item in wanted)
    meaning, negated = "any", False
    some: list[bool] = []
    every: list[bool] = []
    for item in wanted:
        if item in ("__$all", "__$and"):
            meaning = "all"
        elif item in ("__$any", "__$or"):
            meaning = "any"
        elif item == "__$not":
            negated = True
        else:
            minus = isinstance(item, str) and item.startswith("-") and not spelled_out
            value = item[1:] if minus and not negated else item
            present = not values if value is None else value in values
            if negated or minus:
                every.append(not present)
            elif meaning == "all":
                every.append(present)
            else:
                some.append(present)
            negated = False
    return all(every) and (not some or any(some))


def time_holds(value: str | None, wanted: list[str]) -> bool:
    """A filter of times with operators."""
    if value is None:
        return False
    at = datetime.fromisoformat(value)
    plain = []
    for item in wanted:
        operator = re.match("[<>]?=?", item).group()  # type: ignore[union-attr]
        bound = datetime.fromisoformat(item[len(operator) :].replace("Z", "+00:00"))
        bound = bound if bound.tzinfo else bound.replace(tzinfo=UTC)
        bound -= timedelta(microseconds=bound.microsecond % 1000)
        if not operator:
            plain.append(at == bound)
        elif not {">": at > bound, ">=": at >= bound, "<": at < bound, "<=": at <= bound}[operator]:
            return False
    return any(plain) or not plain


def range_holds(obj: Json, path: str, low: Any, high: Any) -> bool:
    """A filter of numbers with two ends that belong to the range."""
    values = found(obj, path)
    if not values:
        return low is None
    return any((low is None or value >= low) and (high is None or value <= high) for value in values)


def pattern_holds(obj: Json, fields: list[str], pattern: str, every: bool) -> bool:
    """A regular expression on several fields."""
    hits = [any(isinstance(v, str) and re.search(pattern, v) for v in found(obj, field)) for field in fields]
    return all(hits) if every else any(hits)


def passes(obj: Json, body: Json) -> bool:
    """True if an object belongs to the answer of a request."""
    for field, wanted in body.items():
        if field in ("order_by", "page", "page_size", "only_fields") or wanted is None:
            continue
        if field in ("_any_", "_or_", "_all_", "_and_"):
            every = field in ("_all_", "_and_")
            if "pattern" in wanted:
                holds = pattern_holds(obj, wanted["fields"], wanted["pattern"], every)
            else:
                each = [time_holds(obj.get(name), wanted["datetime"]) for name in wanted["fields"]]
                holds = all(each) if every else any(each)
        elif field in ("last_change", "last_update", "status_changed"):
            holds = time_holds(obj.get(field), wanted)
        elif field.startswith("last_metrics."):
            holds = range_holds(obj, field, *wanted)
        elif field in ("name", "comment"):
            holds = pattern_holds(obj, [field], wanted, every=True)
        else:
            holds = list_holds(found(obj, field), wanted)
        if not holds:
            return False
    return True
