"""Saving: what a Redis that comes back empty goes on from, and whether any of it has changed since it was saved."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import Final

from triggers import sources
from triggers.context import Context
from triggers.ledger.polling.batches import decode_batch
from triggers.model.events import Event
from triggers.sync import saved_edits
from triggers.sync.counted_calls import CountedCalls
from triggers.sync.memory import Memory
from triggers.sync.saved_state import PROPERTY, Saved

#: Waiting firings that are looked at for the oldest.
_LOOKED_AT: Final = 200


@dataclass(frozen=True, slots=True)
class Saving:
    """The state as it is now. `values`: the runtime properties that it is written as."""

    state: Saved
    values: dict[str, str]

    @classmethod
    def of(cls, ctx: Context, server_ms: int) -> Saving:
        """Read it."""
        calls = CountedCalls.of(ctx.ledger.calls.usage()).to_fields()
        saved = replace(state(ctx, server_ms), calls=calls)
        registry = saved_edits.Kept.of(ctx.ledger.registry.snapshot(), _read_from(ctx, saved.since_ms))
        return cls(saved, {PROPERTY: saved.to_json(), saved_edits.PROPERTY: registry.to_json()})

    def remember(self, memory: Memory) -> None:
        """Remember that it is written."""
        memory.put("kept_from", str(self.state.read_to_ms))
        memory.put("kept_state", _digest(self.state, memory))


def has_changed(ctx: Context, memory: Memory) -> bool:
    """Whether a firing, a decision or a registration has changed it since it was written; time alone does not count."""
    read_to_ms = memory.number("kept_from")
    return not read_to_ms or memory.text("kept_state") != _digest(state(ctx, 0, read_to_ms), memory)


def _digest(saved: Saved, memory: Memory) -> str:
    text = f"{replace(saved, saved_ms=0, calls={}).to_json()} {memory.look.newest}"
    return hashlib.sha1(text.encode("utf-8", "surrogatepass"), usedforsecurity=False).hexdigest()


def _read_from(ctx: Context, since_ms: int) -> int:
    """From when on another Redis would read."""
    return since_ms - int(ctx.settings.overlap_seconds * 1000)


def state(ctx: Context, server_ms: int, read_to_ms: int = 0) -> Saved:
    """What is saved now. The cursor never covers a change that was read and has not been carried out.

    Args:
        ctx: the scheduler.
        server_ms: the ClearML server's time.
        read_to_ms: in place of how far polls have read by now.
    """
    ledger = ctx.ledger
    waiting = _oldest_waiting(ctx)  # before the cursors: what is granted in between is after them
    snapshot = ledger.registry.snapshot()
    if not read_to_ms:
        cursors = [ledger.reading.cursor(source.name) for source in sources.serving(snapshot.active)]
        read_to_ms = min((cursor.read_to_ms for cursor in cursors), default=0) or server_ms
    return Saved(
        saved_ms=server_ms,
        read_to_ms=read_to_ms,
        waiting_ms=waiting,
        epoch=ctx.epoch.number,
        registry=snapshot.version,
        paused=tuple(entry.trigger.id for entry in snapshot.active if entry.paused),
        audit=ledger.audit.head().to_text(),
        decided=ledger.decided.since(_read_from(ctx, min(read_to_ms, waiting or read_to_ms))),
    )


def _oldest_waiting(ctx: Context) -> int:
    """Change time of the oldest change that waits in a batch, as a firing, or for its trigger; 0 for none."""
    ledger = ctx.ledger
    times = [note.from_ms for note in ledger.unread_triggers.notes().values()]
    for partition in ledger.reading.waiting_partitions():
        if text := ledger.reading.first_batch(partition):
            times.append(_oldest_in(ctx, partition, text))
    times += ledger.waiting.change_times(ledger.firings.holds(), _LOOKED_AT)
    return min(times, default=0)


def _oldest_in(ctx: Context, partition: int, text: str) -> int:
    """Change time of the oldest change in a batch; of one that cannot be read, what is certainly earlier."""
    try:
        return min(Event.from_json(line).changed_ms for line in decode_batch(text).events)
    except ValueError:
        waits_since_ms = ctx.ledger.waiting.due_ms(str(partition), "batches")
        return max(1, (waits_since_ms or ctx.ledger.now_ms()) - int(ctx.settings.sweep_window_seconds * 1000))
