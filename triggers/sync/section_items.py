"""The items of a configuration section, of which those that say what is registered already are not kept. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from triggers.model import Trigger
from triggers.model.kinds import Kind
from triggers.model.original import to_original

_WHITE_SPACE: Final = re.compile(r"[ \t\n\r]*")


def shortened(
    kind: Kind, text: str, standing: Mapping[str, Trigger], project_ids: Mapping[str, str]
) -> list[Any] | None:
    """The items of a section, with the trigger in place of each that is as this trigger is written.

    Of thousands, few are in memory at a time. None if that is impossible: it is not a list, or has a name twice.
    """
    if not standing:
        return None
    items, names = list[Any](), set[Any]()
    try:
        for item in _each_item(text):
            name = item.get("name") or item.get("base_task_id") if isinstance(item, dict) else None
            if isinstance(name, str):
                if name in names:
                    return None
                names.add(name)
            items.append(_as_it_stands(kind, item, standing, project_ids) or item)
    except (ValueError, RecursionError):
        return None
    return items


def _each_item(text: str) -> Iterator[Any]:
    """The elements of a JSON list, one after the other.

    Raises:
        ValueError: it is not a JSON list.
    """
    read = json.JSONDecoder().raw_decode
    at = _sign(text, 0, "[")
    if text[at : at + 1] == "]":
        ends = at
    else:
        while True:
            item, at = read(text, at)
            yield item
            ends = _past_white(text, at)
            if text[ends : ends + 1] != ",":
                break
            at = _past_white(text, ends + 1)
    if _sign(text, ends, "]") != len(text):
        raise ValueError("more than a list")


def _sign(text: str, at: int, sign: str) -> int:
    """Where what follows a sign begins."""
    at = _past_white(text, at)
    if text[at : at + 1] != sign:
        raise ValueError(f"no {sign}")
    return _past_white(text, at + 1)


def _past_white(text: str, at: int) -> int:
    found = _WHITE_SPACE.match(text, at)
    return found.end() if found else at


def _as_it_stands(
    kind: Kind, item: Any, standing: Mapping[str, Trigger], project_ids: Mapping[str, str]
) -> Trigger | None:
    """The trigger whose entry is as it would be written: it need not be validated again. None for any other."""
    name = item.get("name") if isinstance(item, dict) else None
    trigger = standing.get(f"{kind}:{name}")
    if trigger is None:
        return None
    written = to_original(trigger, project_ids.get(trigger.trigger_project or ""))
    # as texts, too: 1 and 1.0 and true are equal, and are not the same to say
    return trigger if item == written and json.dumps(item) == json.dumps(written) else None
