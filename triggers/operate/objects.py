"""Objects of a scheduler: found by the beginning of an id, read from the server, as they changed since a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Final

from triggers.clearml_api import Api, polls
from triggers.errors import Usage
from triggers.events import Event
from triggers.operate.happened import Filter, newest
from triggers.operate.target import Target
from triggers.spec import Trigger

#: Length of a ClearML id; tables show its first eight characters.
_ID_LENGTH: Final = 32
_LEAST: Final = 4
#: Entries of the history in which the beginning of an id is looked for.
_LOOKED_AT: Final = 10_000


def full_id(target: Target, text: str) -> str:
    """The id of an object that may be given by its beginning, if the history knows one object of it.

    Raises:
        Usage: the history knows several.
    """
    if len(text) >= _ID_LENGTH or len(text) < _LEAST:
        return text
    known = newest(target, Filter(), _LOOKED_AT)
    fitting = {id_ for entry in known for id_ in (entry.object, entry.task) if id_.startswith(text)}
    if len(fitting) > 1:
        raise Usage(f"{len(fitting)} objects begin with {text!r}: {', '.join(sorted(fitting)[:5])}")
    return next(iter(fitting), text)


def plan_for(triggers: Iterable[Trigger]) -> polls.Plan:
    """What has to be read for some triggers."""
    triggers = list(triggers)
    return polls.Plan(
        version=0,
        tasks=True,
        models=any(trigger.kind == "model" for trigger in triggers),
        metrics=frozenset(key for trigger in triggers for key in trigger.watched_metrics()),
    )


def read_object(api: Api, plan: polls.Plan, object_id: str, kind: str) -> Event | None:
    """An object as a poll would read it now; one of another kind where there is none of that kind."""
    for models in (kind == "model", kind != "model"):
        found = polls.read_by_id(api, plan, [object_id], models=models)
        if found:
            return _with_its_task(api, plan, found[0]) if models else found[0]
    return None


def _with_its_task(api: Api, plan: polls.Plan, model: Event) -> Event:
    """A published model changes with the publishing of its ClearML task, as polls see it."""
    if not (model.ready and model.task):
        return model
    tasks = polls.read_by_id(api, plan, [model.task], models=False)
    times = [task.changed_ms for task in tasks if task.status == "published"]
    return replace(model, changed_ms=max([model.changed_ms, *times]))


def changed_since(api: Api, triggers: Iterable[Trigger], since_ms: int) -> Iterator[Event]:
    """The objects that changed since a time, as they are now; each once, as polls would read them."""
    triggers = list(triggers)
    plan = plan_for(triggers)
    seen: set[str] = set()
    if plan.models:
        for page in polls.read_models(api, plan, since_ms):
            yield from _fresh(page.events, seen)
    for page in polls.read_tasks(api, plan, since_ms):
        published = {event.id: event.changed_ms for event in page.events if event.status == "published"}
        if plan.models and published:
            yield from _fresh(polls.read_models_of(api, plan, published), seen)
        if any(trigger.kind != "model" for trigger in triggers):
            yield from _fresh(page.events, seen)


def _fresh(events: Iterable[Event], seen: set[str]) -> Iterator[Event]:
    for event in events:
        if event.id not in seen:
            seen.add(event.id)
            yield event
