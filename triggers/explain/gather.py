"""The facts of an explanation, read from Redis and the ClearML server. Writes nothing."""

from __future__ import annotations

from typing import Any

from triggers import sources
from triggers.clearml_api import launches
from triggers.explain.prepared import prepared
from triggers.explain.values import Facts, Open, Read, Slot
from triggers.ledger.firing import Firing, firing_key
from triggers.ledger.registry import Entry
from triggers.ledger.turns import hold_of
from triggers.model import Trigger
from triggers.model.events import Event
from triggers.model.launch_tags import is_service_task
from triggers.model.parts import all_parts, key_of
from triggers.operate.objects import look_up
from triggers.operate.query import last_event_of
from triggers.operate.target import Target
from triggers.rules.policies import Mark, limit_of
from triggers.sources import Source
from triggers.stages import own

#: Firings of one object that are looked at, the newest.
_FIRINGS = 20


#: In place of an object that has not been read yet.
UNREAD: Any = object()


def now_of(target: Target, object_id: str, kind: str = "task") -> Event | None:
    """The object as the server has it now; one of another kind where there is none of that kind."""
    return look_up(target.api, prepared(target.ledger.registry).needs, object_id, kind)


def gather(target: Target, entry: Entry, object_id: str, now: Event | None = UNREAD) -> Facts:
    """Read all that the decision about a trigger and an object depends on; `now` where the caller has read it.

    Raises:
        Usage: there are no credentials for the scheduler's server.
        ServerUnavailable, StoreUnavailable: no answer.
    """
    ledger, trigger = target.ledger, entry.trigger
    source = sources.of_kind(trigger.kind)
    now = now_of(target, object_id, trigger.kind) if now is UNREAD else now
    mark = ledger.matching.mark(trigger.id, object_id)
    firings = _firings(target, trigger.id, object_id, mark)
    seen = last_event_of(target, object_id) or (Event.from_json(firings[-1].event) if firings else None)
    limit = limit_of(trigger.policy, target.settings.max_per_minute)
    unmatched_ms = _unmatched_ms(target, object_id)
    return Facts(
        entry=entry,
        object_id=object_id,
        now=now,
        seen=seen,
        known_ms=_known_ms(target, source, object_id),
        waits_for_match=unmatched_ms is not None,
        index_leads=now is not None and _index_leads(target, entry, now),
        mark=mark,
        firings=firings,
        launched_by=_launched_by(target, trigger, now, object_id),
        is_service_task=object_id == target.scheduler.service_task
        or (now is not None and is_service_task(now.system_tags)),
        read=_read(target, source),
        room=ledger.firings.pace_room(trigger.id, limit) if limit else None,
        slot=_slot(target, trigger.slot),
        per_minute=limit,
        open=_open(target, entry, firings[-1]) if firings else None,
        unmatched_ms=unmatched_ms or 0,
        max_attempts=target.settings.max_attempts,
        own_edit=_own_edit(target, trigger, now),
        parts=_parts(target, trigger, firings[-1].key) if firings else (),
    )


def _launched_by(target: Target, trigger: Trigger, now: Event | None, object_id: str) -> str:
    """The trigger that launched the object, this one too while the ledger does not know it yet."""
    known = target.ledger.firings.launchers([object_id]).get(object_id, "")
    if known or now is None or _own_edit(target, trigger, now):
        return known
    (verdict,) = own.judge_each(target.ledger, target.api, [(now, trigger)])
    return trigger.id if verdict == "own" else ""


def _own_edit(target: Target, trigger: Trigger, now: Event | None) -> bool:
    """Whether the object's last change is an edit that this trigger has made."""
    if now is None or not trigger.sees_own_edits:
        return False
    return target.ledger.edits.judge_each([(trigger.id, now.id, now.changed_ms)]) == ["own"]


def _firings(target: Target, trigger: str, object_id: str, mark: Mark) -> tuple[Firing, ...]:
    """The firings of this trigger for this object that are kept, oldest first."""
    ledger = target.ledger
    numbers = range(max(1, mark.occurrence - _FIRINGS + 1), mark.occurrence + 1)
    keys = [firing_key(ledger.scheduler, trigger, object_id, number) for number in numbers]
    return tuple(firing for key in keys if (firing := ledger.firings.get(key)))


def _parts(target: Target, trigger: Trigger, key: str) -> tuple[Firing, ...]:
    """What became of the further actions of a firing, as far as they were granted and are kept."""
    keys = [key_of(key, part) for part, _ in all_parts(trigger) if part]
    return tuple(firing for one in keys if (firing := target.ledger.firings.get(one)))


def _known_ms(target: Target, source: Source, object_id: str) -> int | None:
    return target.ledger.reading.seen_ms(source.name, object_id)


def _unmatched_ms(target: Target, object_id: str) -> int | None:
    """Since when an event of the object lies in a batch that was not matched yet, None if none does."""
    ledger = target.ledger
    for partition in ledger.reading.waiting_partitions():
        if any(f'"{object_id}"' in text for text in ledger.waiting.batches(partition)):
            return ledger.waiting.due_ms(str(partition), "batches")
    return None


def _open(target: Target, entry: Entry, last: Firing) -> Open:
    """Where the last firing waits, if it does."""
    ledger, trigger = target.ledger, entry.trigger
    holds = (f"pause:{trigger.id}", f"pace:{trigger.id}", f"slot:{trigger.slot}", hold_of(trigger.action.receiver))
    place = ledger.waiting.place(last.key, holds)
    if place is None:
        return Open()
    hold, lane, due_ms = place
    return Open(hold=hold) if hold else Open(due_ms, lane)


def _index_leads(target: Target, entry: Entry, now: Event) -> bool:
    candidates = prepared(target.ledger.registry).index.candidates(now)
    return any(found.id == entry.trigger.id for found in candidates)


def _read(target: Target, source: Source) -> Read:
    ledger = target.ledger
    cursor = ledger.reading.cursor(source.name)
    serves = prepared(ledger.registry).serving(source)
    oldest = min((entry.since_ms for entry in serves), default=0)
    sweep_ms = max(oldest, cursor.read_to_ms - int(target.settings.sweep_window_seconds * 1000))
    return Read(
        cursor, source.window(cursor, serves, target.settings), sweep_ms, ledger.waiting.next_poll_ms(), ledger.now_ms()
    )


def _slot(target: Target, name: str) -> Slot | None:
    if not name:
        return None
    holder, task = target.ledger.firings.slot_holder(name)
    key = holder.partition(" ")[0]
    if task or not key:
        status = launches.read_statuses(target.api, [task]).get(task, "gone") if task else ""
        return Slot(name, key, task, status)
    firing = target.ledger.firings.get(key)
    next_ms = target.ledger.waiting.due_ms(key, "dispatch")
    return Slot(name, key, failures=firing.failures if firing else 0, next_ms=next_ms)
