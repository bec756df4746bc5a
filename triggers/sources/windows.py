"""From which server time a poll reads, and how far it has read afterwards. Pure.

Three windows: *fresh* from the cursor at every poll; *overlap* now and then, for changes that become
visible to reads late; *sweep*, wider and rarer, for those later still. Only server times are compared.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from triggers.base.settings import Settings
from triggers.ledger.polling.reading import Cursor
from triggers.ledger.registry.registry import Entry

#: The server's clock may be read this much too early (whole seconds of the Date header and more), ms.
CLOCK_TOLERANCE_MS = 5_000

#: The server's clock counts as set back while nobody polled when it lags by more; Redis' clock is not exact, ms.
LOST_TOLERANCE_MS = 60_000

#: How far behind that clock the cursor may be: the server's time is known in whole seconds, and corrected, ms.
BEHIND_MS = 6_000


@dataclass(frozen=True, slots=True)
class Window:
    """Read changes of `since_ms` and later; `again`: also what was seen, for triggers that did not see it."""

    since_ms: int
    overlaps: bool
    sweeps: bool
    again: bool

    @property
    def rereads(self) -> bool:
        """Whether it reads what was read before, in case some of it was not visible yet."""
        return (self.overlaps or self.sweeps) and not self.again

    def fresh(self, cursor: Cursor) -> Window:
        """What the cursor has not passed, of a window that reads more again: that can wait for a poll.

        Not after the server's clock was set back: what was stamped before is read again at once.
        """
        if not self.rereads or not cursor.overlapped_ms:
            return self
        return replace(self, since_ms=max(self.since_ms, cursor.read_to_ms), overlaps=False, sweeps=False)


def overlap_every_ms(settings: Settings) -> int:
    """The pause between two overlap reads."""
    return int(settings.overlap_seconds * 1000 / 3)


def choose_window(cursor: Cursor, entries: Iterable[Entry], settings: Settings) -> Window | None:
    """The window of the next poll of one source; None when no trigger needs the source.

    Args:
        cursor: how far the source was read.
        entries: the active entries that the source serves.
        settings: overlap and sweep.
    """
    entries = list(entries)
    if not entries:
        return None
    new = [entry.since_ms for entry in entries if entry.version > cursor.plan]
    if cursor.plan == 0:
        return Window(min(new, default=0), overlaps=True, sweeps=True, again=True)
    overlaps = cursor.read_to_ms - cursor.overlapped_ms >= overlap_every_ms(settings)
    sweeps = cursor.read_to_ms - cursor.swept_ms >= settings.sweep_every_seconds * 1000
    back_to_ms = cursor.read_to_ms
    if overlaps:
        back_to_ms = min(back_to_ms, _overlap_from(cursor, settings))
    if sweeps:
        back_to_ms = min(back_to_ms, _sweep_from(cursor, settings))
    oldest = min(entry.since_ms for entry in entries)
    since_ms = min([max(back_to_ms, oldest), *new, cursor.read_to_ms])
    return Window(since_ms, overlaps, sweeps, again=bool(new))


def _overlap_from(cursor: Cursor, settings: Settings) -> int:
    """From where the last overlap read may have missed changes: they were not visible yet.

    Counted from that read and not from now, since polls may have been down for long in between. The pause
    between two overlap reads more, for replicas whose clocks differ.
    """
    margin_ms = int(settings.overlap_seconds * 1000) + overlap_every_ms(settings)
    if not cursor.overlapped_ms:  # the clock was set back
        return cursor.read_to_ms - margin_ms - overlap_every_ms(settings)
    return cursor.overlapped_ms - margin_ms


def _sweep_from(cursor: Cursor, settings: Settings) -> int:
    """From where a sweep reads: a whole window back when it comes in time, further when polls were down."""
    window_ms, every_ms = int(settings.sweep_window_seconds * 1000), int(settings.sweep_every_seconds * 1000)
    in_time_ms = cursor.read_to_ms - window_ms
    return min(in_time_ms, cursor.swept_ms - (window_ms - every_ms)) if cursor.swept_ms else in_time_ms


def sweeping_back(cursor: Cursor, unnoticed_ms: int, settings: Settings) -> Cursor:
    """Let the next sweep read back to when a clock was set back, after it has shown.

    Args:
        cursor: as it follows that clock.
        unnoticed_ms: how long ago that may have been.
        settings: a sweep reads so far back anyway.
    """
    since_ms = cursor.read_to_ms - unnoticed_ms - LOST_TOLERANCE_MS
    if since_ms >= _sweep_from(replace(cursor, swept_ms=0), settings):
        return cursor
    return replace(cursor, swept_ms=max(1, since_ms))


@dataclass(frozen=True, slots=True)
class Advance:
    """The cursor after a page; `stepped_back` is set when the server's clock was set back since the last one.

    `tail_ms`: as `Cursor` has it, for the changes of this page.
    """

    cursor: Cursor
    stepped_back: bool
    tail_ms: int = 0


def advance(
    cursor: Cursor, window: Window, plan: int, *, read_to_ms: int, last: bool, server_ms: int, idle_ms: int = 0
) -> Advance:
    """Move the cursor past one page.

    The cursor never passes the server's own time: a replica whose clock runs ahead must not carry it past
    changes that the others are still stamping. Behind the cursor by more than the tolerance, the server's
    clock has been set back: the cursor follows, and everything recent is read again. Where nobody polled
    meanwhile, that clock may have passed the cursor again: it then lags behind the time that has gone by. Where it is
    ahead of that, it was set forward.

    Args:
        cursor: before it.
        window: what was asked for.
        plan: registry version of the plan that read it.
        read_to_ms: as far as the page reads.
        last: it is the last page.
        server_ms: the time of the clock that stamps changes.
        idle_ms: time since anything was read, for the first page of a poll.
    """
    lost_ms = cursor.read_to_ms + idle_ms - server_ms if cursor.plan and idle_ms else 0
    tail_ms = cursor.read_to_ms + idle_ms + BEHIND_MS
    if server_ms + CLOCK_TOLERANCE_MS < cursor.read_to_ms or lost_ms > LOST_TOLERANCE_MS:
        back_ms = min(server_ms, cursor.read_to_ms - (lost_ms if lost_ms > LOST_TOLERANCE_MS else 0))
        ahead_ms = max(cursor.ahead_ms, cursor.read_to_ms)
        moved = Cursor(
            back_ms,
            plan,
            overlapped_ms=0,
            swept_ms=0,
            ahead_ms=ahead_ms if ahead_ms > server_ms else 0,
            tail_ms=tail_ms if tail_ms > server_ms or not last else 0,
        )
        if not last:  # what the other pages have is still to be read, if this poll ends before them
            moved = replace(moved, read_to_ms=min(back_ms, read_to_ms), plan=cursor.plan)
        return Advance(moved, True, tail_ms)
    if lost_ms >= -CLOCK_TOLERANCE_MS:
        tail_ms = cursor.tail_ms
    if not last:
        reached = max(cursor.read_to_ms, min(read_to_ms, server_ms))
        return Advance(replace(cursor, read_to_ms=reached, tail_ms=tail_ms), False, tail_ms)
    reached = max(server_ms, cursor.read_to_ms)
    return Advance(
        Cursor(
            reached,
            plan,
            overlapped_ms=reached if window.overlaps else cursor.overlapped_ms,
            swept_ms=reached if window.sweeps else cursor.swept_ms,
            ahead_ms=cursor.ahead_ms if cursor.ahead_ms > reached else 0,
            tail_ms=tail_ms if tail_ms > reached else 0,
        ),
        False,
        tail_ms,
    )
