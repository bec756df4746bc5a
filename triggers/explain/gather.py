"""The facts of an explanation, read from Redis and the ClearML server. Writes nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from triggers.clearml_api import launches
from triggers.events import Event
from triggers.explain.values import Facts, Read, Slot
from triggers.index import Index
from triggers.ledger.firing import Firing, firing_key
from triggers.ledger.reading import Source
from triggers.ledger.registry import Entry
from triggers.operate.objects import plan_for, read_object
from triggers.operate.query import last_event_of, sources_of
from triggers.operate.target import Target
from triggers.policies import Mark, limit_of
from triggers.windows import choose_window

#: Firings of one object that are looked at, the newest.
_FIRINGS = 20


def gather(target: Target, entry: Entry, object_id: str) -> Facts:
    """Read all that the decision about a trigger and an object depends on.

    Raises:
        Usage: there are no credentials for the scheduler's server.
        ServerUnavailable, StoreUnavailable: no answer.
    """
    ledger, trigger = target.ledger, entry.trigger
    source = sources_of(trigger.kind)[0]
    plan = plan_for(entry.trigger for entry in ledger.registry.snapshot().entries.values())
    now = read_object(target.api, plan, object_id, trigger.kind)
    mark = ledger.matching.mark(trigger.id, object_id)
    firings = _firings(target, trigger.id, object_id, mark)
    seen = last_event_of(target, object_id) or (Event.from_json(firings[-1].event) if firings else None)
    if now and seen and trigger.kind == "model" and now.ready and seen.changed_ms > now.changed_ms:
        now = replace(now, changed_ms=seen.changed_ms)  # published with its task, which moves none of its times
    limit = limit_of(trigger.policy, target.settings.max_per_minute)
    return Facts(
        entry=entry,
        object_id=object_id,
        now=now,
        seen=seen,
        known_ms=_known_ms(target, source, object_id),
        waits_for_match=_waits(target, object_id),
        index_leads=now is not None and _index_leads(target, entry, now),
        mark=mark,
        firings=firings,
        launched_by=ledger.firings.launchers([object_id]).get(object_id, ""),
        is_service_task=object_id == target.scheduler.service_task,
        read=_read(target, source),
        room=ledger.firings.pace_room(trigger.id, limit) if limit else None,
        slot=_slot(target, trigger.slot),
    )


def _firings(target: Target, trigger: str, object_id: str, mark: Mark) -> tuple[Firing, ...]:
    """The firings of this trigger for this object that are kept, oldest first."""
    ledger = target.ledger
    numbers = range(max(1, mark.occurrence - _FIRINGS + 1), mark.occurrence + 1)
    keys = [firing_key(ledger.scheduler, trigger, object_id, number) for number in numbers]
    return tuple(firing for key in keys if (firing := ledger.firings.get(key)))


def _known_ms(target: Target, source: Source, object_id: str) -> int | None:
    score: Any = target.ledger.store.client.zscore(target.ledger.keys.seen(source), object_id)
    return None if score is None else int(score)


def _waits(target: Target, object_id: str) -> bool:
    """Whether an event of the object lies in a batch that was not matched yet."""
    ledger = target.ledger
    for partition in ledger.reading.waiting_partitions():
        texts: Any = ledger.store.client.lrange(ledger.keys.batches(partition), 0, -1)
        if any(f'"{object_id}"' in text for text in texts):
            return True
    return False


def _index_leads(target: Target, entry: Entry, now: Event) -> bool:
    index = Index(one.trigger for one in target.ledger.registry.snapshot().active)
    return any(found.id == entry.trigger.id for found in index.candidates(now))


def _read(target: Target, source: Source) -> Read:
    ledger = target.ledger
    cursor = ledger.reading.cursor(source)
    serves = [e for e in ledger.registry.snapshot().active if source == "tasks" or e.trigger.kind == "model"]
    due: Any = ledger.store.client.get(ledger.keys.next_poll)
    oldest = min((entry.since_ms for entry in serves), default=0)
    sweep_ms = max(oldest, cursor.read_to_ms - int(target.settings.sweep_window_seconds * 1000))
    return Read(cursor, choose_window(cursor, serves, target.settings), sweep_ms, int(due or 0), ledger.now_ms())


def _slot(target: Target, name: str) -> Slot | None:
    if not name:
        return None
    holder, task = target.ledger.firings.slot_holder(name)
    status = launches.read_statuses(target.api, [task]).get(task, "gone") if task else ""
    return Slot(name, holder.partition(" ")[0], task, status)
