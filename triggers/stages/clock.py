"""Clock: grant what is due of schedules. It asks Redis what time it is, and nobody anything else.

The nominal times that are due become events, which `match` turns into firings as any other. A time is granted once:
its mark and the key of its firing say so. How far the times have been looked at is the cursor of the source; where
Redis' clock is set back, the cursor follows, and the marks keep what was granted from being granted again.
"""

from __future__ import annotations

import heapq
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from triggers.base.logs import logger
from triggers.context import Context
from triggers.ledger.polling.batches import encode_batches
from triggers.ledger.polling.reading import Cursor
from triggers.ledger.registry.registry import Entry, Snapshot
from triggers.ledger.registry.timetables import timetable_of
from triggers.ledger.registry.unread_triggers import Note
from triggers.model.events import Event
from triggers.model.schedule_fields import SCHEDULE
from triggers.rules.schedules.occurrences import Timetable, event_of
from triggers.rules.schedules.wall_clocks import WallClocks
from triggers.stages.partitions import partitions_now

log = logger(__name__)

SOURCE: Final = "clock"

#: The stage waits for what comes due so soon, instead of leaving it to the next tick, ms.
AHEAD_MS: Final = 1_400

#: A lease is short: who dies in the middle of a tick delays what is due by no more, seconds.
LEASE_SECONDS: Final = 6.0

#: Redis' clock counts as set back when it is behind the cursor by more, ms.
STEP_MS: Final = 1_000

#: The cursor is written at least so often, ms.
WRITTEN_MS: Final = 10_000

#: Marks of times are kept for so much longer than the longest window in which missed times are made up for, ms.
KEPT_MS: Final = 2 * 86_400_000

#: Pause between two times at which old marks are forgotten, ms.
FORGOTTEN_MS: Final = 3_600_000
#: When a process looks at the marks of retired schedules next.
_RETIRED: Final = f"{SOURCE}:retired"


@dataclass
class Tables:
    """The timetables of one version of the registry, by when the next time of each is due. Of one process.

    Attributes:
        version: The version.
        read_ms: Where the cursor was in Redis when this process looked last; what it has looked at since had no times.
        tables: Timetables by id, each with the entry that it was made of.
        due: When the next time of each is due, a heap; a moment before that where another process has granted it.
    """

    version: int
    read_ms: int
    tables: dict[str, tuple[Entry, Timetable]]
    due: list[tuple[int, str]] = field(default_factory=list)

    @classmethod
    def of(cls, known: Tables | None, version: int, entries: list[Entry], cursor: Cursor, walls: WallClocks) -> Tables:
        """Make them ready, and only those anew whose entries are others than before.

        Args:
            known: those of an earlier look, None if there are none.
            version: of the registry.
            entries: its schedules.
            cursor: of the clock. If it went back, all are planned anew.
            walls: up to when the times of each were looked at.
        """
        before = known.tables if known else {}
        same = {id_: one for entry in entries if (one := before.get(id_ := entry.trigger.id)) and one[0] is entry}
        went_on = known is not None and cursor.plan and known.read_ms <= cursor.read_to_ms
        due = [one for one in known.due if one[1] in same] if known and went_on else []
        heapq.heapify(due)
        made = {entry.trigger.id: same.get(entry.trigger.id) or (entry, timetable_of(entry)) for entry in entries}
        tables = cls(version, cursor.read_to_ms, made, due)
        for id_, (_, table) in made.items():
            if not (went_on and id_ in same):
                looked_ms = table.looked_ms(walls) if cursor.plan and cursor.read_to_ms else table.since_ms
                tables.plan(id_, min(looked_ms, table.since_ms - 1))
        return tables

    @property
    def zones(self) -> set[str]:
        """The time zones whose rules say when some of them are due."""
        return {one.trigger.timezone for _, one in self.tables.values() if one.trigger.by_wall_clock} - {"UTC"}

    def plan(self, id_: str, after_ms: int) -> None:
        """Note when the next time of a schedule is due."""
        next_ms = self.tables[id_][1].next_due_ms(after_ms)
        if next_ms is not None:
            heapq.heappush(self.due, (next_ms, id_))

    def take(self, now_ms: int) -> list[str]:
        """Take the schedules that have to be looked at now."""
        taken = []
        while self.due and self.due[0][0] <= now_ms:
            taken.append(heapq.heappop(self.due)[1])
        return taken

    def next_ms(self) -> int | None:
        """When the next of all is due."""
        return self.due[0][0] if self.due else None


def may_be_due(ctx: Context | None, version: int | None) -> bool:
    """Whether a tick may find work; False only where this process knows that the registry has no schedules.

    Args:
        ctx: the scheduler as this process has seen it, None if it has not.
        version: of its registry, None if that is not known.
    """
    known = ctx.ledger.registry.known(version) if ctx is not None and version is not None else None
    return known is None or bool(known.active.by_kind.get(SCHEDULE))


def clock(ctx: Context) -> int | None:
    """Grant what is due, and what comes due within the next second; how many events, None when another is at it.

    Safe to run anywhere at any time: the lease lets one in, and events are stored together with the cursor or not at
    all. Without schedules it costs one look at the registry.

    Raises:
        StoreUnavailable, Fenced: the next tick looks at the same times again.
    """
    snapshot = ctx.ledger.registry.snapshot()
    entries = snapshot.active.by_kind.get(SCHEDULE, [])
    if not entries:
        _forget_retired(ctx, snapshot)
        return 0
    with ctx.ledger.lease(SOURCE, min(LEASE_SECONDS, ctx.settings.lease_seconds)) as token:
        if token is None:
            return None
        stored = _look(ctx, token, snapshot, entries)
        until = time.monotonic() + AHEAD_MS / 1000
        while (pause := _pause(ctx, until)) is not None:
            time.sleep(pause)
            snapshot = ctx.ledger.registry.snapshot()
            entries = snapshot.active.by_kind.get(SCHEDULE, [])
            stored += _look(ctx, token, snapshot, entries)
        return stored


def _pause(ctx: Context, until: float) -> float | None:
    """How long to wait for what comes due before a time, seconds; None when nothing does."""
    tables = ctx.memories.get(SOURCE)
    next_ms = tables.next_ms() if isinstance(tables, Tables) else None
    if next_ms is None:
        return None
    pause = max(0.0, (next_ms - ctx.ledger.wall_ms()) / 1000)
    return pause if time.monotonic() + pause < until else None


def _look(ctx: Context, token: str, snapshot: Snapshot, entries: list[Entry]) -> int:
    """Store what is due by now; how many events."""
    reading, now_ms = ctx.ledger.reading, ctx.ledger.wall_ms()
    stored = reading.cursor(SOURCE)
    cursor, entries = _set_back(ctx, stored, entries, now_ms)
    from_ms = cursor.read_to_ms if cursor.plan else min(entry.since_ms for entry in entries) - 1
    if from_ms > now_ms:
        return 0
    floor_ms, zones = ctx.ledger.moments.floor_and_zones()
    walls = WallClocks(zones, from_ms)
    tables = _tables(ctx, snapshot.version, entries, cursor, walls)
    tables.read_ms = cursor.read_to_ms
    ctx.memories.pop(SOURCE, None)  # what is taken from them now is looked at again if this look fails
    over = _passed_by(ctx, snapshot, tables, from_ms)
    events, to_ms, looked = list[tuple[int, Event]](), now_ms, list({*tables.take(now_ms), *over})
    for id_ in looked:
        entry, table = tables.tables[id_]
        late = entry.version > cursor.plan or not cursor.plan
        after_ms = min(from_ms, table.since_ms - 1) if late else table.looked_ms(walls)
        if id_ in over:
            after_ms = min(after_ms, over[id_].from_ms - 1)
        due = table.due(max(after_ms, floor_ms), now_ms)
        to_ms = min(to_ms, due.to_ms)
        zone, name = table.trigger.timezone, table.trigger.name
        events += [(one.due_ms, event_of(name, one, zone)) for one in due.occurrences]
    fresh = [event for due_ms, event in sorted(events, key=lambda one: one[0]) if due_ms <= to_ms]
    for id_ in looked:
        tables.plan(id_, max(to_ms, tables.tables[id_][1].looked_ms(walls)))
    if fresh or cursor.plan != snapshot.version or to_ms - from_ms >= WRITTEN_MS or cursor is not stored or over:
        if (local := tables.zones) or zones:
            ctx.ledger.moments.note_zones(walls.read(local, to_ms))
        _store(ctx, token, Cursor(to_ms, snapshot.version), fresh, now_ms)
        tables.read_ms = to_ms
        ctx.ledger.moments.forget_old(entries, snapshot.entries, now_ms, KEPT_MS, FORGOTTEN_MS)
    if to_ms == now_ms:
        ctx.ledger.unread_triggers.done(over)
    ctx.memories[SOURCE] = tables
    return len(fresh)


def _passed_by(ctx: Context, snapshot: Snapshot, tables: Tables, from_ms: int) -> Mapping[str, Note]:
    """Note the schedules that this process cannot read, and give those that others could not: they are read again."""
    unread = {id_: why for id_, why in snapshot.whys.items() if id_.startswith(f"{SCHEDULE}:")}
    ctx.ledger.unread_triggers.note(unread, from_ms)
    over = ctx.ledger.unread_triggers.over(snapshot.unreadable, ctx.ledger.now_ms())
    return {id_: note for id_, note in over.items() if id_ in tables.tables}


def _forget_retired(ctx: Context, snapshot: Snapshot) -> None:
    """Forget what is remembered of times where all schedules are retired: no look at the clock does it then."""
    now = time.monotonic()
    if now < ctx.memories.get(_RETIRED, 0.0):
        return
    ctx.memories[_RETIRED] = now + FORGOTTEN_MS / 1000
    if any(entry.trigger.kind == SCHEDULE for entry in snapshot.entries.values()):
        with ctx.ledger.lease(SOURCE, min(LEASE_SECONDS, ctx.settings.lease_seconds)) as token:
            if token is not None:
                wall_ms = ctx.ledger.wall_ms()
                ctx.ledger.moments.forget_old([], snapshot.entries, wall_ms, KEPT_MS, FORGOTTEN_MS)


def _set_back(ctx: Context, cursor: Cursor, entries: list[Entry], now_ms: int) -> tuple[Cursor, list[Entry]]:
    """Follow Redis' clock where it was set back; what began by the clock of before begins now."""
    if cursor.read_to_ms <= now_ms + STEP_MS:
        return cursor, entries
    seconds = (cursor.read_to_ms - now_ms) / 1000
    log.warning("Redis' clock was set back by %.0f s: schedules follow it; what was launched is not launched again",
                seconds)  # fmt: skip
    ctx.ledger.moments.lower_floor(now_ms)
    ahead = {entry.trigger.id for entry in entries if entry.begun_ms > now_ms}
    if ahead:
        known = ctx.ledger.registry.edit(
            lambda found, version: {
                id_: found.entries[id_].begun_by(now_ms, version) for id_ in ahead if id_ in found.entries
            }
        )
        entries = known.active.by_kind.get(SCHEDULE, [])
    ctx.memories.pop(SOURCE, None)
    return replace(cursor, read_to_ms=now_ms), entries


def _tables(ctx: Context, version: int, entries: list[Entry], cursor: Cursor, walls: WallClocks) -> Tables:
    """The timetables of this version, as this process has them."""
    found = ctx.memories.get(SOURCE)
    known = found if isinstance(found, Tables) else None
    if known is None or known.version != version or known.read_ms > cursor.read_to_ms or not cursor.plan:
        known = Tables.of(known, version, entries, cursor, walls)
    return known


def _store(ctx: Context, token: str, cursor: Cursor, events: list[Event], now_ms: int) -> None:
    batches = encode_batches(
        events,
        plan=cursor.plan,
        polled_ms=now_ms,
        partitions=partitions_now(ctx),
        size=ctx.settings.batch_events,
        signer=ctx.ledger.signer,
        by=lambda event: event.name,  # so that the times of a schedule are decided in order
    )
    ctx.ledger.reading.commit(
        SOURCE, token, cursor, events, batches, forget_before_ms=now_ms - KEPT_MS, server_ms=None, lease=SOURCE
    )
    if batches:
        ctx.hint("match")
