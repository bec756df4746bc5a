"""One object: its firings, what they launched and what that fired, and why each trigger did or did not fire for it."""

from __future__ import annotations

from dataclasses import dataclass, field

from starlette.responses import RedirectResponse, Response

from triggers.base.errors import TriggersError, Usage
from triggers.console.request import Asked
from triggers.explain.every import explain_every
from triggers.explain.values import Explanation
from triggers.ledger.history.history import HistoryEntry
from triggers.model.kinds import is_subject
from triggers.model.schedule_fields import SCHEDULE
from triggers.operate.history import Filter
from triggers.operate.objects import full_id
from triggers.operate.selection import SHOWN

#: Entries of an object's history, and how far what it launched is followed.
_ENTRIES, _DEPTH, _BRANCHES = 50, 4, 30
#: Triggers whose decision is explained in full: those that come nearest.
_EXPLAINED = 10


@dataclass(slots=True)
class Branch:
    """A launch of a firing, and what the launched task has fired in turn."""

    entry: HistoryEntry
    next: list[Branch] = field(default_factory=list)


def page(asked: Asked) -> Response:
    """Everything that is known of an object. ClearML is asked for its present state, as `explain` does."""
    id_ = asked.parts["object"]
    asked.scheduler.activity.read_on()
    entries = asked.scheduler.activity.page(Filter(object=id_), asked.query.get("before", ""), _ENTRIES)
    explanations, more, unknown = _explained(asked, id_)
    now = next((one.facts.now or one.facts.seen for one in explanations if one.facts.now or one.facts.seen), None)
    return asked.page(
        "object.html",
        id=id_,
        object=now,
        kind=SCHEDULE if is_subject(SCHEDULE, id_) else now.kind if now else _kind(entries.entries),
        entries=entries,
        causes=_causes(asked, id_),
        tree=_tree(asked, id_, _DEPTH, {id_}),
        explanations=explanations,
        nearest=next((one for one in explanations if not one.fires and one.clauses), None),
        more=more,
        unknown=unknown,
    )


def _kind(entries: tuple[HistoryEntry, ...]) -> str:
    return entries[0].trigger.partition(":")[0] if entries else "task"


def _explained(asked: Asked, id_: str) -> tuple[list[Explanation], int, str]:
    """The explanations, how many triggers are left out, and why there is none."""
    try:
        found, more = explain_every(asked.scheduler.target, id_, at_most=_EXPLAINED)
    except TriggersError as failure:
        return [], 0, str(failure)
    return found, more, ""


def _causes(asked: Asked, id_: str) -> list[HistoryEntry]:
    """The launches that led to an object, the first of them first, as far as the ledger knows."""
    found: list[HistoryEntry] = []
    while len(found) < _DEPTH and (entry := asked.scheduler.activity.launch_of(id_)):
        if entry.object == id_ or any(entry.object == one.object for one in found):
            break
        found.append(entry)
        id_ = entry.object
    return found[::-1]


def _tree(asked: Asked, id_: str, depth: int, seen: set[str]) -> list[Branch]:
    found = []
    launches = asked.scheduler.activity.page(Filter(object=id_, what=("launched",)), "", _BRANCHES)
    for entry in launches.entries:
        branch = Branch(entry)
        if entry.task and depth and entry.task not in seen:
            seen.add(entry.task)
            branch.next = _tree(asked, entry.task, depth - 1, seen)
        found.append(branch)
    return found


def find(asked: Asked) -> Response:
    """Where a word leads: to a trigger, a firing, or an object by its id, its address or its name.

    Raises:
        Usage: several objects are meant; the message lists them.
    """
    word = asked.query.get("q", "").strip()
    if not word:
        return RedirectResponse(asked.here(), 303)
    entries = asked.scheduler.target.ledger.registry.snapshot().entries.values()
    named = [entry for entry in entries if word in (entry.trigger.name, entry.trigger.id)]
    if len(named) == 1:
        return RedirectResponse(asked.here("triggers", named[0].trigger.id), 303)
    if any(word.casefold() in entry.trigger.name.casefold() for entry in entries):
        return RedirectResponse(asked.here(q=word), 303)
    if firing := _firing(asked, word):
        return RedirectResponse(asked.here("firings", firing), 303)
    if len(word) > 2000:
        raise Usage("that is too long for a name, an id or an address")
    return RedirectResponse(asked.here("objects", full_id(asked.scheduler.target, word)), 303)


def _firing(asked: Asked, word: str) -> str:
    """The key of a firing by its end, of those that happened last."""
    if asked.scheduler.target.ledger.firings.get(word):
        return word
    if len(word) != SHOWN:
        return ""
    asked.scheduler.activity.read_on()
    recent = asked.scheduler.activity.page(Filter(), "", 2000).entries
    return next((entry.firing for entry in recent if entry.firing.endswith(word)), "")
