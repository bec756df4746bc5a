"""Parts of tasks in the form in which they are stored."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]


def artifacts(items: list[Json]) -> list[Json]:
    """Artifacts in the order of their keys; the mode is output unless given."""
    complete = [{"mode": "output", **item, "display_data": item.get("display_data") or []} for item in items]
    return sorted(complete, key=lambda item: (item.get("key", ""), item["mode"]))


def section(values: Any) -> Json:
    """Hyperparams or configuration: what has a value, null is not stored."""
    if not isinstance(values, dict):
        return {}
    return {key: _without_null(item) for key, item in values.items() if item is not None}


def _without_null(item: Any) -> Any:
    if not isinstance(item, dict):
        return item
    return {key: _without_null(value) for key, value in item.items() if value is not None}


def hidden_dots(values: Json) -> Json:
    """Runtime properties: a dot in a name comes back as %2E."""
    return {key.replace(".", "%2E"): value for key, value in values.items()}
