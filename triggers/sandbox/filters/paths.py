"""Nested fields: `script.branch`, `last_metrics.<md5>.<md5>.value`, `hyperparams.Args.has.dot.value`."""

from __future__ import annotations

from typing import Any


def values_at(obj: Any, parts: list[str]) -> list[Any]:
    """All values at a path: none if it is missing, several where a list is on the way or at the end."""
    if not parts:
        return list(obj) if isinstance(obj, list) else [obj]
    if isinstance(obj, list):
        return [value for item in obj for value in values_at(item, parts)]
    if not isinstance(obj, dict):
        return []
    for length in range(1, len(parts) + 1):
        key = ".".join(parts[:length])
        for spelling in (key, unescaped(key)):
            if spelling in obj:
                return values_at(obj[spelling], parts[length:])
    return []


def value_at(obj: dict[str, Any], path: str) -> Any:
    """The value at a path, or None."""
    if "." not in path:
        return obj.get(path)
    found = values_at(obj, path.split("."))
    return found[0] if found else None


def unescaped(key: str) -> str:
    """A key as it is stored: requests may write dots and dollars as %2E and %24."""
    return key.replace("%2E", ".").replace("%24", "$")


def set_at(obj: dict[str, Any], path: str, value: Any) -> None:
    """Set the value at a path, making what is missing on the way."""
    *parents, last = path.split(".")
    for part in parents:
        obj = obj.setdefault(part, {})
    obj[last] = value
