"""What people change about triggers: pause, resume, delete. Edits of the registry with the origin `command`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from triggers.base.errors import Usage
from triggers.ledger.registry.registry import Entry, Snapshot
from triggers.model.kinds import KINDS
from triggers.operate import releasing
from triggers.operate.commands import command
from triggers.operate.target import Target

#: The writer that the command line is to the registry.
ORIGIN = "command"


@dataclass(frozen=True, slots=True)
class Resumed:
    """What resuming brought: the triggers that were paused, and how many held firings go or were skipped.

    `minutes`: how long the rate limits keep the last of them waiting.
    """

    names: list[str]
    go: int
    skipped: int
    minutes: int = 0


def chosen(target: Target, names: Sequence[str], *, everything: bool) -> list[Entry]:
    """The triggers that a verb is about.

    Raises:
        Usage: neither names nor all, or both; no such trigger.
    """
    if everything and names:
        raise Usage("give names or --all, not both")
    if not everything and not names:
        raise Usage("give the name of a trigger, or --all")
    return target.ledger.registry.snapshot().active if everything else [target.entry(name) for name in names]


def pause(target: Target, entries: Sequence[Entry]) -> list[str]:
    """Let firings wait from now on; matching goes on, so nothing is lost. The names that were not paused before."""
    with target.ledger.audit.change("pause", triggers=_names(entries)) as came:
        came["changed"] = _edit(target, [entry.trigger.id for entry in entries], paused=True)
    return list(came["changed"])


def resume(target: Target, entries: Sequence[Entry], *, skip_missed: bool) -> Resumed:
    """Launch again.

    Args:
        target: the scheduler.
        entries: its triggers that go on.
        skip_missed: what waits is skipped, and changes made before now no longer count; else it is launched.

    Raises:
        ServerUnavailable, Usage: with `skip_missed`, the server's time is needed.
    """
    ids = [entry.trigger.id for entry in entries]
    with target.ledger.audit.change("resume", triggers=_names(entries), skip_missed=skip_missed) as came:
        skipped, waiting = 0, _held_for_a_pause(target, ids)
        held = sum(waiting.values())
        if skip_missed:
            # still paused: from here on nothing older is granted, and what is newer waits
            _edit(target, ids, since_ms=target.server_now_ms(), wall_ms=target.ledger.wall_ms())
            skipped = sum(target.ledger.by_hand.skip_waiting(id_, "missed during a pause") for id_ in ids)
        came |= {"changed": _edit(target, ids, paused=False), "skipped": skipped}
    go = max(0, held - skipped)
    lasts = max((releasing.minutes(target, id_, count) for id_, count in waiting.items()), default=0)
    return Resumed(list(came["changed"]), go, skipped, lasts if go else 0)


def _held_for_a_pause(target: Target, ids: Sequence[str]) -> dict[str, int]:
    """How many firings of each trigger wait because it is paused, of those that have any."""
    holds = set(target.ledger.firings.holds())
    waiting = {id_: f"pause:{id_}" for id_ in ids if f"pause:{id_}" in holds}
    counts = target.ledger.operations.held_counts(list(waiting.values()))
    return {id_: counts[hold] for id_, hold in waiting.items()}


def delete(target: Target, entry: Entry) -> None:
    """Retire a trigger; what it remembers stays, for the case that it comes back.

    Raises:
        Usage: a script declares it.
    """
    name = entry.trigger.name
    if entry.declared or entry.origin == "script":
        file = entry.declared_in or "the script"
        raise Usage(
            f"{entry.trigger.called} is declared by {declarer(entry)}, which would bring it back: remove it from "
            f"{file} and restart that; until then {command('pause', name)} stops its launches"
        )
    with target.ledger.audit.change("delete", trigger=name, specification=entry.trigger.to_json()):
        target.ledger.registry.edit(
            lambda known, _: {entry.trigger.id: replace(known.entries[entry.trigger.id], retired=True)}
        )


def declarer(entry: Entry) -> str:
    """Who declares a trigger, for people: the script, or the file that `up -f` was given."""
    return entry.declared_in or "a script"


def _edit(
    target: Target, ids: Sequence[str], *, paused: bool | None = None, since_ms: int = 0, wall_ms: int = 0
) -> list[str]:
    """Set the pause of triggers, or the time from which changes count; the names of those that it changed.

    Times of schedules count by Redis' clock, `wall_ms`; elapsed time goes on counting from when they began.
    """
    changed: list[str] = []

    def edit(known: Snapshot, _: int) -> dict[str, Entry | None]:
        changes: dict[str, Entry | None] = {}
        for id_ in ids:
            old = known.entries[id_]
            new = replace(old, paused=old.paused if paused is None else paused)
            if old.paused and since_ms and KINDS[old.trigger.kind].by_redis_clock:
                new = replace(new, edited_ms=max(old.edited_ms, wall_ms))
            elif old.paused:
                new = replace(new, since_ms=max(old.since_ms, since_ms))
            if new != old:
                changes[id_] = new
        changed[:] = sorted(known.entries[id_].trigger.name for id_ in changes)
        return changes

    target.ledger.registry.edit(edit)
    return changed


def _names(entries: Sequence[Entry]) -> list[str]:
    return sorted(entry.trigger.name for entry in entries)
