"""Objects of a scheduler: found by the beginning of an id, read from the server, as they changed since a time."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

from triggers import sources
from triggers.base.errors import Usage
from triggers.base.plural import plural
from triggers.clearml_api import Api
from triggers.clearml_api.by_name import find_objects
from triggers.model import Trigger
from triggers.model.events import Event
from triggers.operate.history import Filter, newest
from triggers.operate.target import Target

#: The id in an address of ClearML's web pages: the last of a task, dataset or model in it.
_IN_ADDRESS: Final = re.compile(r"(?:/(?:experiments|tasks|models|simple)/|[?&;](?:id|ids)=)([0-9a-f]{32})(?![0-9a-f])")

#: A ClearML id, and what may be the beginning of one; tables show eight characters.
_ID: Final = re.compile(r"[0-9a-f]{32}")
_BEGINNING: Final = re.compile(r"[0-9a-f]{,32}")
_LEAST: Final = 4
#: Entries of the history in which the beginning of an id is looked for.
_LOOKED_AT: Final = 10_000


def full_id(target: Target, text: str) -> str:
    """The id of an object, however people name it.

    Args:
        target: the scheduler.
        text: an id, the beginning of one that the history knows, the address of its page in ClearML, or its name.

    Raises:
        Usage: several objects are meant, or the address is of no object.
    """
    if "://" in text:
        return _in_address(text)
    if _ID.fullmatch(text):
        return text
    if len(text) >= _LEAST and _BEGINNING.fullmatch(text):
        known = newest(target, Filter(), _LOOKED_AT)
        fitting = {id_ for entry in known for id_ in (entry.object, entry.task) if id_.startswith(text)}
        if fitting:
            return _only(text, "begin with", sorted(fitting))
    return _only(text, "are named", [id_ for _, id_ in find_objects(target.api, text)] or [text])


def _in_address(text: str) -> str:
    found = _IN_ADDRESS.findall(text)
    if not found:
        raise Usage(
            f"{text}: not the address of a ClearML task, dataset, or model: open the object and copy its address"
        )
    return str(found[-1])


def _only(text: str, how: str, ids: list[str]) -> str:
    if len(ids) > 1:
        more = f" and {len(ids) - 5} more" if len(ids) > 5 else ""
        raise Usage(f"{plural(len(ids), 'object')} {how} {text!r}: give the id of one: {', '.join(ids[:5])}{more}")
    return ids[0]


def read_object(api: Api, triggers: Iterable[Trigger], object_id: str, kind: str) -> Event | None:
    """An object as polls for these triggers read it; one of another kind where there is none of that kind."""
    triggers = list(triggers)
    return look_up(api, lambda source: source.needs(sources.triggers_of(source, triggers)), object_id, kind)


def unknown(trigger: Trigger, object_id: str) -> str:
    """That there is no such object for a trigger, and what to give instead."""
    if not trigger.of_objects:
        return f"{trigger.called}: {object_id!r} is not a time; give one such as 2026-11-27T03:00:00Z"
    return f"{trigger.called}: object {object_id!r} is not on the server: look for its id there"


def look_up(api: Api, needs: Callable[[sources.Source], Any], object_id: str, kind: str) -> Event | None:
    """The same where the caller knows what each source reads."""
    for source in sorted(sources.SOURCES, key=lambda source: kind not in source.kinds):
        found = source.look_up(api, needs(source), [object_id])
        if found:
            return found[0]
    return None


def changed_since(api: Api, triggers: Iterable[Trigger], since_ms: int) -> Iterator[Event]:
    """The objects that changed since a time, as they are now; each once, as polls would read them."""
    triggers = list(triggers)
    seen: set[str] = set()
    for source in sources.SOURCES:
        if served := sources.triggers_of(source, triggers):
            for page in source.read(api, source.needs(served), since_ms):
                yield from _fresh(page.events, seen)


def _fresh(events: Iterable[Event], seen: set[str]) -> Iterator[Event]:
    for event in events:
        if event.id not in seen:
            seen.add(event.id)
            yield event
