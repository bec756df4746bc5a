"""What cannot be read: triggers that are passed by and catch up, alarms for what waits or was taken away."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from triggers import sources
from triggers.base.errors import Newer, Unreadable
from triggers.base.escaping import shell_words
from triggers.base.formats import KNOWN
from triggers.base.logs import logger
from triggers.base.plural import plural
from triggers.context import Context
from triggers.ledger.history import alarms
from triggers.ledger.looks.poll_look import PollLook
from triggers.ledger.polling.batches import decode_batch
from triggers.ledger.registry.registry import Entry, Snapshot
from triggers.ledger.registry.unread_triggers import Note
from triggers.model.action import LANES
from triggers.model.events import Event
from triggers.model.kinds import noun_of_id
from triggers.model.schedule_fields import SCHEDULE

log = logger(__name__)

#: Beginning of the names of all alarms of this kind.
ALARM: Final = alarms.UNREADABLE.name

#: How long batches and firings of a later release may wait for a worker of it before an alarm, seconds.
PATIENCE_SECONDS: Final = 60.0

#: A version that no cursor has reached: what has it is read from its `since_ms` on.
_ANEW: Final = 2**62


def entries_to_read(ctx: Context, look: PollLook, known: Snapshot) -> tuple[list[Entry], Mapping[str, Note]]:
    """The entries that a poll serves, and the notes to forget when all of it has been stored.

    Those that were passed by are read from there on again, like new ones. That the others pass by is noted first. Times
    of schedules are read again by the clock.
    """
    if known.unreadable:
        ctx.ledger.unread_triggers.note(known.whys, _read_to_ms(ctx, look, known))
    by_clock = {entry.trigger.id for entry in known.active.by_kind.get(SCHEDULE, ())}
    over = {id_: note for id_, note in look.over(known.unreadable).items() if id_ not in by_clock}
    if not over:
        return known.active, over
    entries = [
        replace(entry, version=_ANEW, since_ms=max(entry.since_ms, over[entry.trigger.id].from_ms))
        if entry.trigger.id in over
        else entry
        for entry in known.active
    ]
    return entries, over


def _read_to_ms(ctx: Context, look: PollLook, known: Snapshot) -> int:
    """Up to where everything was read for all triggers, less what may become visible late."""
    cursors = [look.cursors[source.name] for source in sources.serving(known.active) or sources.SOURCES]
    read_to_ms = min((cursor.read_to_ms for cursor in cursors if cursor.plan), default=0)
    return read_to_ms - int(ctx.settings.overlap_seconds * 2000)


def raise_alarms(ctx: Context) -> None:
    """Make the alarms of this kind say what is the case now; each is logged when it begins."""
    history, found = (
        ctx.ledger.history,
        _found(ctx),
    )
    for name in history.alarms():
        if name.startswith(ALARM) and name.removeprefix(ALARM) not in found:
            history.clear_alarm(name)
    for name, text in found.items():
        if history.raise_alarm(ALARM + name, text, ctx.ledger.now_ms()):
            log.error("%s", text)


def _found(ctx: Context) -> dict[str, str]:
    return {**_triggers(ctx), **_batches(ctx), **_firings(ctx), **_refused(ctx), **_quarantine(ctx)}


def _triggers(ctx: Context) -> dict[str, str]:
    return {
        f"trigger {id_}": f"{noun_of_id(id_)} {id_!r} is quarantined, its changes wait: {note.why}. It catches up "
        "by itself once all workers can read it; an entry that no release can read: declare the trigger again"
        for id_, note in ctx.ledger.unread_triggers.notes().items()
    }


def _batches(ctx: Context) -> dict[str, str]:
    found = {}
    for partition in ctx.ledger.reading.long_waiting(PATIENCE_SECONDS):
        if why := _is_later(ctx.ledger.reading.first_batch(partition)):
            found[f"partition {partition}"] = f"events in partition {partition} wait for another matcher: {why}"
    return found


def _is_later(text: str | None) -> str:
    """Why a batch waits for a later release, "" if it does not."""
    try:
        for line in decode_batch(text).events if text else ():
            Event.from_json(line)
    except Newer as fault:
        return str(fault)
    except Unreadable:  # the next matcher takes it away
        pass
    return ""


def _firings(ctx: Context) -> dict[str, str]:
    found = {}
    before_ms = ctx.ledger.now_ms() - int(PATIENCE_SECONDS * 1000)
    for lane in LANES:
        version = ctx.ledger.waiting.oldest_version(lane, before_ms)
        if version is not None and version > KNOWN["firing"]:
            found[f"firings {lane}"] = (
                f"firings wait for a {lane} worker of a later release: version {version} is in use, and this "
                f"release reads {KNOWN['firing']} at most"
            )
    return found


def _refused(ctx: Context) -> dict[str, str]:
    count = ctx.ledger.refused.count()
    refused = plural(count, "item in Redis was refused", "items in Redis were refused")
    text = (
        f"{refused}: no key of TRIGGERS_SIGNING_KEY had signed; "
        "`clearml-triggers unsigned list` shows it, `clearml-triggers unsigned adopt` signs yours, "
        "`clearml-triggers unsigned drop` ends this alarm"
    )
    return {"signatures": text} if count else {}


def _quarantine(ctx: Context) -> dict[str, str]:
    count, name = ctx.ledger.quarantine.count(), ctx.ledger.quarantine.name
    text = (
        f"{plural(count, 'unreadable event or batch was', 'unreadable events or batches were')} quarantined: "
        f"redis-cli LRANGE {shell_words(name)} 0 -1 shows it, `clearml-triggers replay` fires for objects that it "
        f"kept from firing, redis-cli DEL {shell_words(name)} ends this alarm"
    )
    return {"quarantine": text} if count else {}
