"""What a scheduler's triggers have done: one view of each, read from Redis in a handful of requests."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace

from triggers import sources
from triggers.base.errors import Unreadable
from triggers.ledger.firings.firing import trigger_digest
from triggers.ledger.history.history import Tally
from triggers.ledger.polling.reading import Cursor
from triggers.ledger.registry.registry import Entry
from triggers.model.events import Event
from triggers.operate import failing, wording
from triggers.operate.failing import Failure
from triggers.operate.target import Target

#: Batches of events looked at in one request, newest first.
_BATCHES = 10


@dataclass(frozen=True, slots=True)
class View:
    """One trigger as it stands. `counts` are since there is this Redis, `waiting`, `held` and `dead` of now.

    `failing`: its firings that failed and are tried again, None if none; they are among those `waiting`.

    `objects`: for how many objects it has ever been granted a firing. `read_to_ms`: how far its objects were
    read, in the server's time. `muted_until_ms`: 0 until it is unmuted, None if it is not muted.
    """

    entry: Entry
    state: str
    considered: Event | None
    launched: Tally | None
    counts: Mapping[str, int]
    waiting: int
    held: int
    dead: int
    objects: int
    read_to_ms: int
    failing: Failure | None = None
    muted_until_ms: int | None = None


def state_of(target: Target, view: View, now_ms: int) -> str:
    """The state of a trigger in words; one that fails says how far that has come, a muted one that it is."""
    state = view.state
    if view.failing is not None and view.state in ("active", "new"):
        state = failing.state(view.failing, target.settings.max_attempts, now_ms)
    return state if view.muted_until_ms is None else f"{state}, muted"


def views(target: Target, *, retired: bool = False, limit: int | None = None) -> list[View]:
    """The triggers, by kind and name: all, or the first `limit`."""
    return views_of(target, in_order(target, retired=retired)[:limit], target.ledger.history.tallies())


def in_order(target: Target, *, retired: bool = False) -> list[Entry]:
    """All entries by kind and name."""
    entries = [entry for entry in target.ledger.registry.snapshot().entries.values() if retired or not entry.retired]
    return sorted(entries, key=lambda entry: (entry.trigger.kind, entry.trigger.name))


def views_of(target: Target, entries: list[Entry], tallies: list[Tally]) -> list[View]:
    """These triggers, in this order; `tallies`: of them at least."""
    ledger = target.ledger
    cursors = {source.name: ledger.reading.cursor(source.name) for source in sources.SOURCES}
    own: dict[str, list[Tally]] = {}
    for tally in tallies:
        own.setdefault(tally.trigger, []).append(tally)
    considered = last_events(target, {entry.trigger.kind for entry in entries})
    waits, objects = _waiting(target), _objects(target, entries)
    fails = failing.by_trigger(ledger.retrying.failing())
    mutes = ledger.mutes.at(ledger.now_ms())
    return [
        replace(
            _view(
                target,
                entry,
                cursors,
                own.get(entry.trigger.id, []),
                considered.get(entry.trigger.kind),
                waits,
                objects[entry.trigger.id],
            ),
            failing=fails.get(entry.trigger.id),
            muted_until_ms=mutes.get(entry.trigger.id),
        )
        for entry in entries
    ]


def _view(
    target: Target,
    entry: Entry,
    cursors: Mapping[str, Cursor],
    tallies: list[Tally],  # of this trigger
    considered: Event | None,
    waits: Mapping[str, Counter[str]],
    objects: int,
) -> View:
    own = {tally.what: tally for tally in tallies}
    source = sources.of_kind(entry.trigger.kind).name
    digest = trigger_digest(target.ledger.scheduler, entry.trigger.id)
    counts = {what: tally.count for what, tally in own.items()}
    seen = considered if considered and entry.counts(considered.changed_ms) else None
    if seen is not None and not entry.trigger.of_objects and seen.name != entry.trigger.name:
        seen = None  # a time of another schedule
    return View(
        entry,
        wording.state(entry, cursors[source].plan),
        seen,
        own.get("launched"),
        counts,
        waits["waiting"][digest],
        waits["held"][digest],
        waits["dead"][digest],
        objects,
        cursors[source].read_to_ms,
    )


def _waiting(target: Target) -> dict[str, Counter[str]]:
    """How many firings wait, are held, are dead, by the digest that their keys begin with."""
    ledger = target.ledger
    return ledger.waiting.by_trigger(len(trigger_digest("", "")), ledger.firings.holds())


def _objects(target: Target, entries: list[Entry]) -> dict[str, int]:
    ids = [entry.trigger.id for entry in entries]
    return dict(zip(ids, target.ledger.matching.object_counts(ids), strict=True))


def last_events(target: Target, kinds: set[str]) -> dict[str, Event]:
    """The last event that triggers of each kind have considered, of those that are kept."""
    found: dict[str, Event] = {}
    for lines in target.ledger.events().lines_backwards(_BATCHES):
        for line in reversed(lines):
            event = readable_event(line)
            if event is None:
                continue
            for kind in kinds - found.keys():
                if event.concerns(kind):
                    found[kind] = event
            if kinds <= found.keys():
                return found
    return found


def readable_event(line: str) -> Event | None:
    """An event that was stored; None for one that this release cannot read."""
    try:
        return Event.from_json(line)
    except Unreadable:
        return None


def last_event_of(target: Target, object_id: str) -> Event | None:
    """The last event of an object among those that are kept."""
    for lines in target.ledger.events().lines_backwards(_BATCHES):
        for line in reversed(lines):
            if object_id in line:
                event = readable_event(line)
                if event is not None and event.id == object_id:
                    return event
    return None
