"""References to the object that fired, `${model.id}` and its like, inside values of parameters and overrides.

`$${...}` stands for a literal `${...}`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, Final

from triggers.model.kinds import Kind
from triggers.model.schedule_fields import SCHEDULE

_REFERENCE: Final = re.compile(r"\$(\$?)\{([^{}]*)\}")


def references(kind: Kind) -> tuple[str, ...]:
    """Name what a trigger of a kind can fill in: the id of the object; the time of a schedule, which is its id, too."""
    return (f"{kind}.at", f"{kind}.id") if kind == SCHEDULE else (f"{kind}.id",)


def unknown_placeholder(value: Any, kind: Kind) -> str | None:
    """Find the first reference that a trigger of `kind` cannot fill, at any depth."""
    for text in _texts(value):
        for match in _REFERENCE.finditer(text):
            escaped, name = match.groups()
            if not escaped and name not in references(kind):
                return match[0]
    return None


def fill(value: Any, kind: Kind, object_id: str, at: str = "") -> Any:
    """Copy a value with every reference in its strings, at any depth, replaced; keys stay as they are."""

    def one(match: re.Match[str]) -> str:
        escaped, name = match.groups()
        if escaped:
            return match[0][1:]
        if name not in references(kind):
            return match[0]
        return at if name == f"{kind}.at" else object_id

    return _map_texts(value, lambda text: _REFERENCE.sub(one, text))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _texts(item)


def _map_texts(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return change(value)
    if isinstance(value, dict):
        return {key: _map_texts(item, change) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_map_texts(item, change) for item in value]
    return value
