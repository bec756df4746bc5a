"""Firings that people ask for: one by hand, or those that a stretch of time would have brought."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from triggers.base.errors import Usage
from triggers.ledger.matching.changes import change_of
from triggers.ledger.registry.registry import Entry
from triggers.model.events import Event
from triggers.model.launch_tags import is_service_task
from triggers.operate.objects import changed_since, read_object, unknown
from triggers.operate.target import Target
from triggers.operate.wording import other_kind
from triggers.rules.conditions import matches
from triggers.rules.policies import Decision, Mark, decide_by
from triggers.stages import forgotten, own

_TRIES = 5


@dataclass(frozen=True, slots=True)
class Candidate:
    """An object that satisfies a condition; `fires`: matching would grant it a firing now, else why not."""

    entry: Entry
    event: Event
    mark: Mark
    decision: Decision | None
    why_not: str

    @property
    def fires(self) -> bool:
        """Whether a firing would be granted."""
        return self.decision is not None and self.decision.occurrence is not None


def fire(target: Target, entry: Entry, object_id: str) -> tuple[str, Event]:
    """Grant a firing for an object as it is now, whatever the condition and the memory say: its key.

    Raises:
        Usage: the server has no such object, or one of another kind.
    """
    event = read_object(target.api, [entry.trigger], object_id, entry.trigger.kind)
    name = entry.trigger.name
    if event is None and not entry.trigger.of_objects:
        way_out = "give one as `history` shows it, such as 2026-11-28T05:15:00Z"
        raise Usage(f"{entry.trigger.called}: {object_id!r} is not a time: {way_out}")
    if event is None:
        raise Usage(unknown(entry.trigger, object_id))
    if not event.concerns(entry.trigger.kind):
        raise Usage(other_kind(entry.trigger, event))
    with target.ledger.audit.change("fire", trigger=name, object=object_id) as came:
        came["firing"] = _grant_anew(target, entry, event)
    return str(came["firing"]), event


def _grant_anew(target: Target, entry: Entry, event: Event) -> str:
    for _ in range(_TRIES):
        mark = _mark(target, entry, event)
        next_ = Mark(mark.occurrence + 1, True, max(event.changed_ms, mark.changed_ms), event.changed_ms)
        key = _grant(target, entry, event, mark, next_, "by hand")
        if key:
            return key
    raise Usage(f"{entry.trigger.called} is firing for {event.id} by itself just now: run `clearml-triggers explain`")


def find(
    target: Target, entries: Sequence[Entry], since_ms: int, until_ms: int | None = None
) -> tuple[list[Candidate], int]:
    """The objects that changed in a stretch of time and satisfy a condition now, and how many were looked at.

    The server keeps no earlier states, so an object is judged as it is now.

    Raises:
        Usage: They are all schedules.
    """
    found, looked = [], 0
    if entries and not any(entry.trigger.of_objects for entry in entries):
        raise Usage(
            f"{entries[0].trigger.called} fires at times, not for objects: `next` shows the coming times, and "
            "`backfill` runs past ones"
        )
    for event in changed_since(target.api, [entry.trigger for entry in entries], since_ms):
        if (until_ms is not None and event.changed_ms > until_ms) or event.id == target.scheduler.service_task:
            continue
        if is_service_task(event.system_tags):
            continue
        looked += 1
        found += [
            judge(target, entry, event)
            for entry in entries
            if event.concerns(entry.trigger.kind) and matches(entry.trigger, event)
        ]
    return found, looked


def judge(target: Target, entry: Entry, event: Event) -> Candidate:
    """What matching would decide on an object that satisfies the condition, were its change read now."""
    mark = _mark(target, entry, event)
    (verdict,) = own.judge_each(target.ledger, target.api, [(event, entry.trigger)])
    if verdict in ("own", "own edit"):
        return Candidate(entry, event, mark, None, "this trigger launched it, or has edited it itself")
    if verdict == "undecided":
        return Candidate(entry, event, mark, None, "this trigger may be launching it right now: try again in a minute")
    decision = decide_by(entry.trigger.policy, mark, matched=True, changed_ms=event.changed_ms)
    fired = f"fired before ({entry.trigger.policy.fire})" if mark.fired_ms else "decided on before"
    return Candidate(entry, event, mark, decision, "" if decision.occurrence is not None else fired)


def replay(target: Target, found: Sequence[Candidate]) -> list[str]:
    """Grant the firings that `find` has found; the keys of those granted."""
    wanted = [one for one in found if one.fires]
    names = sorted({one.entry.trigger.name for one in wanted})
    with target.ledger.audit.change("replay", triggers=names, objects=[one.event.id for one in wanted]) as came:
        keys = [
            _grant(target, one.entry, one.event, one.mark, one.decision.mark, "replayed")
            for one in wanted
            if one.decision
        ]
        came["granted"] = [key for key in keys if key]
    return list(came["granted"])


def _mark(target: Target, entry: Entry, event: Event) -> Mark:
    return forgotten.mark_of(target.ledger, target.api, entry.trigger, event.id)


def _grant(target: Target, entry: Entry, event: Event, before: Mark, after: Mark, how: str) -> str:
    """Grant one firing; its key, "" when a matcher or somebody else was first."""
    ledger, trigger = target.ledger, entry.trigger
    ledger.registry.require_key()
    change = change_of(ledger.scheduler, trigger, event, before, after, after.occurrence)
    return change.grant.key if change.grant and ledger.by_hand.fire(change, how) else ""
