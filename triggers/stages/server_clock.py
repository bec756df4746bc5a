"""What polls do about the ClearML server's clock: an alarm while it is set back, and triggers declared before that."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Final

from triggers.base.errors import ServerUnavailable
from triggers.base.logs import logger
from triggers.clearml_api import server_now_ms
from triggers.context import Context
from triggers.ledger.history import alarms
from triggers.ledger.looks.poll_look import PollLook
from triggers.ledger.polling.reading import Cursor
from triggers.ledger.registry.registry import Entry, Snapshot
from triggers.model.events import iso_time
from triggers.rules.policies import STAMP_TOLERANCE_MS
from triggers.sources import Source
from triggers.sources.windows import Advance

log = logger(__name__)

#: The alarm that lasts until the server's clock has passed the time that it had before it was set back.
CLOCK_ALARM: Final = alarms.SERVER_CLOCK.name

#: How long it may take until it shows that the server's clock was set back, ms: beside the pause between two polls,
#: and that between two comparisons of clocks (`sync.keep`) where one of these shows it.
_NOTICED_MS: Final = 25_000

#: How often that clock's time is asked for, and the pause between two times, seconds.
_TRIES: Final = 4
_PAUSE_SECONDS: Final = 0.3

#: How far the server's time may be behind that of its clock: `Date` is coarse, and so is its correction, ms.
_COARSE_MS: Final = 6_000


@dataclass(frozen=True, slots=True)
class Clocks:
    """`stamps_ms`: how far the clock that stamps changes is ahead of the HTTP `Date`. `idle_ms`: since a read."""

    stamps_ms: int
    idle_ms: int


def clocks_of(ctx: Context, look: PollLook, source: Source) -> Clocks:
    """What is known of the clock that stamps a source's changes; nothing where it is not that of the server."""
    if not source.by_server_clock:
        return Clocks(0, 0)
    idle_ms = look.idle_ms(source.name)
    return Clocks(look.stamps_ms, ctx.ledger.reading.idle_ms(source.name) if idle_ms is None else idle_ms)


def report_step(ctx: Context, clock: str, cursor: Cursor, server_ms: int) -> None:
    """Say that a source's clock was set back, the server's usually."""
    if cursor.read_to_ms <= server_ms:  # while nobody polled: by now it has passed the time that it had
        log.warning("%s was set back while no worker polled; reading the changes since then", clock)
        return
    text = (
        f"{clock} is {(cursor.read_to_ms - server_ms) / 1000:.0f} s behind the time up to "
        f"which changes were read ({iso_time(cursor.read_to_ms)}): it was set back, or was ahead; reading recent "
        "changes again"
    )
    log.error("%s", text)
    ctx.ledger.history.raise_alarm(CLOCK_ALARM, text, server_ms)


def clear_alarm(ctx: Context, read: Iterable[Source]) -> None:
    """Clear the alarm once all sources have been read up to the time that the server's clock had before."""
    if not any(ctx.ledger.reading.cursor(source.name).ahead_ms for source in read):
        ctx.ledger.history.clear_alarm(CLOCK_ALARM)


def latest_stamp(cursor: Cursor, server_ms: int, took_seconds: float) -> int:
    """No change can have got a later time from the server's clock by now.

    Args:
        cursor: after a page.
        server_ms: a time that this clock had passed when the page was asked for.
        took_seconds: from before that until now.
    """
    if cursor.ahead_ms:  # it was set back: what differs from it by little is not that of a replica
        return server_ms + int(took_seconds * 1000) + _COARSE_MS
    return server_ms + STAMP_TOLERANCE_MS


def correct_since(
    ctx: Context, entries: Collection[Entry], moved: Advance, plan: int, server_ms: int, unread_ms: int
) -> None:
    """Let changes count from now on for triggers that were declared, or skipped what was missed, at a time to come.

    Idempotent. The server's clock was set back since. Call it before the page is stored: how long nothing was read
    says from when on changes were stamped by the clock as it is now, and storing the page forgets it.

    Args:
        ctx: the scheduler.
        entries: the triggers that were read for.
        moved: the cursor of their source after the page.
        plan: registry version under which all that changed had been read before.
        server_ms: the server's time by the answer that was read.
        unread_ms: how long nothing had been read before it.

    Raises:
        ServerUnavailable: the server does not say its time.
    """
    noticed_ms = _NOTICED_MS + (ctx.ledger.reading.noticed_ms(unread_ms) if moved.stepped_back else 0)
    tolerance_ms = 0 if moved.cursor.ahead_ms else STAMP_TOLERANCE_MS

    def are_late(among: Iterable[Entry], at_ms: int) -> list[Entry]:
        """Those declared at a time to come, or that has passed again since the step: what changed after it counts."""
        since_ms = at_ms - unread_ms - noticed_ms
        return [
            entry
            for entry in among
            if entry.since_ms > at_ms + tolerance_ms
            or (moved.stepped_back and entry.is_read(plan) and entry.since_ms > since_ms)
        ]

    if not are_late(entries, server_ms):
        return
    now_ms = _server_now_ms(ctx)  # the `Date` of that answer may be behind
    ids = [entry.trigger.id for entry in are_late(entries, now_ms)]
    since_ms = now_ms - unread_ms - noticed_ms

    def edit(known: Snapshot, version: int) -> dict[str, Entry | None]:
        here = [known.entries[id_] for id_ in ids if id_ in known.entries]
        return {entry.trigger.id: entry.set_back(since_ms, version, plan) for entry in are_late(here, now_ms)}

    if ids:
        log.warning("the ClearML server's clock was set back: changes count from now on for %s", ", ".join(sorted(ids)))
        ctx.ledger.registry.edit(edit)


def _server_now_ms(ctx: Context) -> int:
    """The time of the clock that stamps changes, asked for more than once.

    The poll fails without it, and until one succeeds another step back would be taken for the same.
    """
    for _ in range(_TRIES - 1):
        try:
            return server_now_ms(ctx.api, ctx.service_task or None)
        except ServerUnavailable:
            time.sleep(_PAUSE_SECONDS)
    return server_now_ms(ctx.api, ctx.service_task or None)
