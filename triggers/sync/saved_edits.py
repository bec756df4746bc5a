"""What people made of the registry, as the service task keeps it for another Redis: one runtime property. Pure.

Scripts declare their triggers again; what `apply`, edits in ClearML, pauses and `resume --skip-missed` changed is in no
script.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from triggers.base.errors import Unreadable
from triggers.base.formats import KNOWN, check_version, reading
from triggers.base.logs import logger
from triggers.ledger.registry.registry import Entry, Snapshot
from triggers.model import Trigger
from triggers.model.schedule_fields import SCHEDULE

log = logger(__name__)

#: Name of the runtime property.
PROPERTY: Final = "triggers-registry"


@dataclass(frozen=True, slots=True)
class Kept:
    """The registry at one version.

    Args:
        version: of the registry.
        known: trigger id → time from which its changes count, and whether it is paused; only of those that are paused,
            or whose changes count from later on than another Redis would read.
        entries: trigger id → the whole entry, where another writer than the script had the last word.
    """

    version: int = 0
    known: Mapping[str, tuple[int, bool]] = field(default_factory=dict)
    entries: Mapping[str, Entry] = field(default_factory=dict)

    @classmethod
    def of(cls, snapshot: Snapshot, since_ms: int) -> Kept:
        """What is kept of a registry, where another Redis reads from `since_ms` on.

        A retired entry counts while a script goes on declaring its trigger.
        """
        known = {
            entry.trigger.id: (entry.since_ms, entry.paused)
            for entry in snapshot.active
            if entry.paused or entry.since_ms > since_ms
        }
        own = {
            id_: entry
            for id_, entry in snapshot.entries.items()
            if entry.origin != "script" and (entry.declared or not entry.retired)
        }
        return cls(snapshot.version, known, own)

    def to_json(self) -> str:
        """Write the property."""
        entries = {id_: entry.to_json() for id_, entry in self.entries.items()}
        fields = {"v": KNOWN["state"], "version": self.version, "known": dict(self.known), "entries": entries}
        return json.dumps(fields, sort_keys=True, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str | None) -> Kept:
        """Read the property; empty where there is none, or if it is corrupt, which is logged.

        Raises:
            Newer: a later release wrote it.
        """
        if not text:
            return cls()
        try:
            with reading("registry", "of the service task"):
                fields: dict[str, Any] = json.loads(text)
                check_version("state", fields["v"], "of the service task")
                known = {str(id_): (int(since), bool(paused)) for id_, (since, paused) in fields["known"].items()}
                entries = {str(id_): Entry.from_json(id_, entry) for id_, entry in fields["entries"].items()}
                return cls(int(fields["version"]), known, entries)
        except Unreadable as fault:
            log.error("%s; what people had changed beside the script is not taken over", fault)
            return cls()

    def restored(self, declared: Iterable[Trigger], since_ms: int) -> dict[str, Entry]:
        """The entries for another Redis, where changes from `since_ms` on were not all carried out.

        Code comes from scripts alone: an entry that calls a function needs a script that declares it.
        """
        functions = {trigger.id: trigger.action for trigger in declared}
        found = {}
        for id_, entry in self.entries.items():
            action = entry.trigger.action
            if action.CODE and functions.get(id_) != action and not entry.retired:
                log.warning("trigger %r calls a function that no script declares here: apply it again", id_)
                continue
            found[id_] = replace(entry, since_ms=counts_from(entry.trigger, entry.since_ms, since_ms))
        return found


def counts_from(trigger: Trigger, known_ms: int, saved_ms: int) -> int:
    """From when on a trigger's changes count on another Redis, where those from `saved_ms` on were not all carried out.

    A schedule keeps its own start, which anchors its times and is a time of Redis' clock and not of the ClearML
    server's: what it launched is found by its key, and `catch_up` limits how far back it looks.
    """
    if trigger.kind == SCHEDULE and known_ms:
        return known_ms
    return max(known_ms, saved_ms)
