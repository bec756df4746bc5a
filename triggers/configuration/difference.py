"""What applying a file changes, and making it so. Idempotent: the second time it changes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from triggers.base.exhaustive import assert_never
from triggers.configuration.document import check_file_has
from triggers.configuration.writing import arguments_of
from triggers.ledger.registry.registry import Entry, Snapshot
from triggers.model import Trigger, check_new
from triggers.operate.changes import ORIGIN, declarer
from triggers.operate.target import Target

What = Literal["add", "edit", "remove", "keep", "same"]


@dataclass(frozen=True, slots=True)
class TriggerDifference:
    """What becomes of one trigger. `fields`: argument → (before, afterwards), None for not given.

    `keep`: the file does not have it, and it stays; `why` says why.
    """

    what: What
    trigger: Trigger
    fields: dict[str, tuple[Any, Any]]
    why: str = ""


def compare(wanted: Sequence[Trigger], known: Snapshot, *, prune: bool) -> list[TriggerDifference]:
    """What applying would change, in the order of the file, then what only the registry has, by name.

    Raises:
        InvalidTrigger: a new trigger has an action that only a script can declare, or its name cannot be shown.
    """
    changes = [_change(trigger, known.get(trigger.id)) for trigger in wanted]
    ids = {trigger.id for trigger in wanted}
    for entry in sorted(known.active, key=lambda entry: entry.trigger.id):
        if entry.trigger.id not in ids:
            changes.append(_left_out(entry, prune=prune))
    return changes


def _change(trigger: Trigger, old: Entry | None) -> TriggerDifference:
    if old is not None and old.trigger == trigger:
        return TriggerDifference("same", trigger, {})
    new = arguments_of(trigger)
    check_new(trigger, old.trigger if old else None)
    if old is None or old.trigger.action != trigger.action:
        check_file_has(trigger)
    before = arguments_of(old.trigger) if old else {}
    fields = {
        name: (before.get(name), new.get(name))
        for name in dict.fromkeys([*before, *new])
        if before.get(name) != new.get(name)
    }
    why = (
        f"{declarer(old)} declares it too, and takes over again when it declares something else"
        if old and old.declared
        else ""
    )
    return TriggerDifference("edit" if old else "add", trigger, fields, why)


def _left_out(entry: Entry, *, prune: bool) -> TriggerDifference:
    if entry.declared or entry.origin == "script":
        return TriggerDifference("keep", entry.trigger, {}, f"{declarer(entry)} declares it")
    if not prune:
        return TriggerDifference("keep", entry.trigger, {}, "--prune removes it")
    return TriggerDifference("remove", entry.trigger, {})


def apply(target: Target, wanted: Sequence[Trigger], *, prune: bool, source: str = "") -> list[TriggerDifference]:
    """Make the registry what the file says; what was changed. `source` is its name.

    New triggers are active from the server's now on; edited ones keep what they remember, and their pause.
    """
    changes = compare(wanted, target.ledger.registry.snapshot(), prune=prune)
    names = {what: [c.trigger.name for c in changes if c.what == what] for what in ("add", "edit", "remove")}
    if not any(names.values()):
        return changes
    now_ms = target.server_now_ms() if names["add"] else 0
    with target.ledger.audit.change("apply", "", file=source, **names):

        def edit(known: Snapshot, version: int) -> dict[str, Entry | None]:
            nonlocal changes
            changes = compare(wanted, known, prune=prune)
            entries: dict[str, Entry | None] = {}
            for change in changes:
                id_, old = change.trigger.id, known.entries.get(change.trigger.id)
                unread = known.unreadable.get(id_)
                match change.what:
                    case "add" if unread is not None:
                        since_ms = target.ledger.registry.passed_by_since(id_, unread, now_ms)
                        entries[id_] = Entry(change.trigger, since_ms, version, ORIGIN, unread.paused, source=source)
                    case "add":
                        paused = old.paused if old else False
                        start_ms = target.ledger.registry.start_ms(change.trigger.kind, now_ms)
                        entry = Entry(change.trigger, start_ms, version, ORIGIN, paused, source=source)
                        known_as = (old.declared, old.declared_in) if old else ("", "")
                        entries[id_] = replace(entry, declared=known_as[0], declared_in=known_as[1])
                    case "edit":
                        assert old is not None
                        entries[id_] = replace(old, trigger=change.trigger, origin=ORIGIN, source=source)
                    case "remove":
                        assert old is not None
                        entries[id_] = replace(old, retired=True, origin=ORIGIN)
                    case "keep" | "same":
                        pass
                    case other:
                        assert_never(other)
            return entries

        target.ledger.registry.edit(edit)
    return changes
