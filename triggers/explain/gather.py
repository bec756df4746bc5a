"""The facts of an explanation, read from Redis and the ClearML server. Writes nothing."""

from __future__ import annotations

from functools import cached_property

from triggers import sources
from triggers.clearml_api import launches
from triggers.explain.prepared import prepared
from triggers.explain.values import Facts, Open, Read, Slot
from triggers.ledger.firings.firing import Firing, firing_key
from triggers.ledger.firings.turns import hold_of
from triggers.ledger.registry.registry import Entry
from triggers.model import Trigger
from triggers.model.events import Event
from triggers.model.launch_tags import is_service_task
from triggers.model.parts import all_parts, key_of
from triggers.model.trigger import ScheduleTrigger
from triggers.operate import past_times
from triggers.operate.objects import look_up
from triggers.operate.query import last_event_of, readable_event
from triggers.operate.target import Target
from triggers.rules.policies import Mark, limit_of
from triggers.sources import Source
from triggers.stages import forgotten, own

#: Firings of one object that are looked at, the newest.
_FIRINGS = 20


def now_of(target: Target, object_id: str, kind: str = "task") -> Event | None:
    """The object as the server has it now; one of another kind where there is none of that kind."""
    return look_up(target.api, prepared(target.ledger.registry).needs, object_id, kind)


class Around:
    """What all decisions about an object depend on, each read once; `now`: the object as the server has it."""

    def __init__(self, target: Target, object_id: str, now: Event | None) -> None:
        self.target, self.object_id, self.now = target, object_id, now
        self._reads: dict[str, Read] = {}
        self._known: dict[str, int | None] = {}

    @cached_property
    def last_event(self) -> Event | None:
        """Its last event, among those that are kept."""
        return last_event_of(self.target, self.object_id)

    @cached_property
    def unmatched_ms(self) -> int | None:
        """Since when an event of the object lies in a batch that was not matched yet, None if none does."""
        ledger = self.target.ledger
        for partition in ledger.reading.waiting_partitions():
            if any(f'"{self.object_id}"' in text for text in ledger.waiting.batches(partition)):
                return ledger.waiting.due_ms(str(partition), "batches")
        return None

    @cached_property
    def launcher(self) -> str:
        """The trigger that launched it, as far as the ledger knows."""
        return self.target.ledger.firings.launchers([self.object_id]).get(self.object_id, "")

    @cached_property
    def candidates(self) -> frozenset[str]:
        """The triggers to which the index leads from it."""
        if self.now is None:
            return frozenset()
        return frozenset(one.id for one in prepared(self.target.ledger.registry).index.candidates(self.now))

    def known_ms(self, source: Source) -> int | None:
        """Its change that polls of a source know."""
        if source.name not in self._known:
            self._known[source.name] = self.target.ledger.reading.seen_ms(source.name, self.object_id)
        return self._known[source.name]

    def read(self, source: Source) -> Read:
        """How far a source is read."""
        if source.name not in self._reads:
            self._reads[source.name] = _read(self.target, source)
        return self._reads[source.name]


def gather(target: Target, entry: Entry, object_id: str, *, around: Around | None = None) -> Facts:
    """Read all that the decision about a trigger and an object depends on; `around`: what the caller has read of it.

    Raises:
        Usage: there are no credentials for the scheduler's server.
        ServerUnavailable, StoreUnavailable: no answer.
    """
    ledger, trigger = target.ledger, entry.trigger
    source = sources.of_kind(trigger.kind)
    around = around or Around(target, object_id, now_of(target, object_id, trigger.kind))
    now = _of(trigger, around.now)
    if isinstance(trigger, ScheduleTrigger):
        mark, ran_unknown = past_times.recall(target, entry, object_id)
    else:
        mark, ran_unknown = forgotten.mark_of(ledger, target.api, trigger, object_id), False
    firings = _firings(target, trigger.id, object_id, mark)
    limit = limit_of(trigger.policy, target.settings.max_per_minute)
    return Facts(
        entry=entry,
        object_id=object_id,
        now=now,
        seen=_of(trigger, around.last_event) or (readable_event(firings[-1].event) if firings else None),
        known_ms=around.known_ms(source),
        waits_for_match=around.unmatched_ms is not None,
        index_leads=trigger.id in around.candidates,
        mark=mark,
        firings=firings,
        launched_by=_launched_by(target, trigger, around),
        is_service_task=object_id == target.scheduler.service_task
        or (now is not None and is_service_task(now.system_tags)),
        read=around.read(source),
        room=ledger.firings.pace_room(trigger.id, limit) if limit else None,
        slot=_slot(target, trigger.slot),
        per_minute=limit,
        open=_open(target, entry, firings[-1]) if firings else None,
        unmatched_ms=around.unmatched_ms or 0,
        max_attempts=target.settings.max_attempts,
        own_edit=_own_edit(target, trigger, now),
        parts=_parts(target, trigger, firings[-1].key) if firings else (),
        ran_unknown=ran_unknown,
    )


def _of(trigger: Trigger, event: Event | None) -> Event | None:
    """The event, unless it is of another schedule: their times have the same ids."""
    return event if event is None or trigger.of_objects or event.name == trigger.name else None


def _launched_by(target: Target, trigger: Trigger, around: Around) -> str:
    """The trigger that launched the object, this one too while the ledger does not know it yet."""
    now = around.now
    if around.launcher or now is None or _own_edit(target, trigger, now):
        return around.launcher
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


def _open(target: Target, entry: Entry, last: Firing) -> Open:
    """Where the last firing waits, if it does."""
    ledger, trigger = target.ledger, entry.trigger
    holds = (f"pause:{trigger.id}", f"pace:{trigger.id}", f"slot:{trigger.slot}", hold_of(trigger.action.receiver))
    place = ledger.waiting.place(last.key, holds)
    if place is None:
        return Open()
    hold, lane, due_ms = place
    return Open(hold=hold) if hold else Open(due_ms, lane)


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
