"""Hyperparameters as the SDK writes them: sections, text values, types; what is there is kept. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

Sections = dict[str, dict[str, Any]]

#: Where the SDK puts a parameter without a section, and where it keeps those of old ClearML tasks.
DEFAULT_SECTION: Final = "General"
LEGACY_SECTION: Final = "Args"


def merge(base: Mapping[str, Mapping[str, Any]], changes: Iterable[tuple[tuple[str, str], Any]]) -> Sections:
    """Set parameters in a copy of a ClearML task's sections; all others stay exactly as they are.

    Args:
        base: `hyperparams` as the server returns them.
        changes: ((section, name), value) in order of increasing precedence.
    """
    sections: Sections = {section: dict(items) for section, items in base.items()}
    for (section, name), value in changes:
        items = sections.setdefault(section, {})
        items[name] = _item(section, name, value, items.get(name) or {})
    return sections


def locate(key: str, base: Mapping[str, Mapping[str, Any]]) -> tuple[str, str]:
    """Split a key of `task_parameters` into section and name as `Task.set_parameters` does."""
    legacy = base.get(LEGACY_SECTION, {}).get(key)
    if legacy is not None and legacy.get("type") == "legacy":
        return LEGACY_SECTION, key
    section, slash, name = key.partition("/")
    return (section, name) if slash else (DEFAULT_SECTION, key)


def as_text(value: Any) -> str:
    """Write a value as the SDK does: None is empty, lists and dictionaries are JSON."""
    if value is None:
        return ""
    return json.dumps(value) if isinstance(value, (list, dict)) else str(value)


def _item(section: str, name: str, value: Any, before: Mapping[str, Any]) -> dict[str, Any]:
    text = as_text(value)
    item = {**before, "section": section, "name": name, "value": text}
    if not before.get("type") and not (before and text == "") and value is not None:
        item["type"] = _type_of(value)
    item.setdefault("description", "")
    return item


def _type_of(value: Any) -> str:
    """Name a type as the SDK does: "int", "list/str", "dict/float"; "list" when the items differ."""
    kind = type(value).__name__
    items = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []
    kinds = {type(item).__name__ for item in items}
    return f"{kind}/{kinds.pop()}" if len(kinds) == 1 else kind
