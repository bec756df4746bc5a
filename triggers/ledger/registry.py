"""The registry: home of the triggers. Script, ClearML configuration and command line are its writers."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from triggers.errors import Usage
from triggers.ledger.keys import Keys
from triggers.ledger.store import Script, Store
from triggers.spec import Trigger

WRITE = Script("registry_write")

#: How often a writer that came second reads again before it gives up.
WRITE_TRIES = 50


@dataclass(frozen=True, slots=True)
class Entry:
    """One registered trigger.

    `since_ms`: server time from which changes count. `version`: registry version from which they do; an
    edit keeps both, a trigger that comes back gets new ones.
    `origin`: the writer that declared it (`script`, `configuration`, `command`).
    `paused` survives registering again. `retired`: no longer declared; kept so that its memory is.
    """

    trigger: Trigger
    since_ms: int
    version: int
    origin: str
    paused: bool = False
    retired: bool = False

    def to_json(self) -> str:
        """The text kept in Redis."""
        fields = asdict(replace(self, trigger=None))  # type: ignore[arg-type]
        fields["trigger"] = self.trigger.to_json()
        return json.dumps(fields, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> Entry:
        """Read the text kept in Redis."""
        fields: dict[str, Any] = json.loads(text)
        fields["trigger"] = Trigger.from_json(fields["trigger"])
        return cls(**fields)


@dataclass(frozen=True)
class Snapshot:
    """The registry at one version; never changes."""

    version: int
    entries: Mapping[str, Entry]

    def get(self, trigger_id: str) -> Entry | None:
        """The entry of a trigger that is declared, None when it is retired or was never there."""
        entry = self.entries.get(trigger_id)
        return None if entry is None or entry.retired else entry

    @property
    def active(self) -> list[Entry]:
        """Entries whose triggers are matched: all but the retired. Paused ones match; their firings wait."""
        return [entry for entry in self.entries.values() if not entry.retired]


class Registry:
    """Reads and writes the registry of one scheduler."""

    def __init__(self, store: Store, keys: Keys) -> None:
        self.store, self.keys = store, keys
        self._snapshot: Snapshot | None = None

    def snapshot(self, at_least: int | None = None) -> Snapshot:
        """The registry, not older than version `at_least` (None: read the present version first)."""
        known = self._snapshot
        if known and at_least is not None and known.version >= at_least:
            return known
        if known and at_least is None and self.version() == known.version:
            return known
        self._snapshot = self._read()
        return self._snapshot

    def version(self) -> int:
        """The present version; 0 when nothing was ever registered."""
        version: Any = self.store.client.get(self.keys.registry_version)
        return int(version or 0)

    def _read(self) -> Snapshot:
        with self.store.client.pipeline(transaction=True) as pipe:
            pipe.get(self.keys.registry_version)
            pipe.hgetall(self.keys.registry)
            version, texts = pipe.execute()
        return Snapshot(int(version or 0), {id_: Entry.from_json(text) for id_, text in texts.items()})

    def declare(self, triggers: Iterable[Trigger], *, origin: str, server_now_ms: int) -> Snapshot:
        """Make `triggers` the whole of what `origin` declares.

        New ones are active from `server_now_ms`; known ones keep `since_ms`, memory and pause; those that
        `origin` no longer declares are retired, and come back with a new `since_ms`. Idempotent.
        """
        wanted = {trigger.id: trigger for trigger in triggers}

        def edit(known: Snapshot) -> dict[str, Entry | None]:
            changes: dict[str, Entry | None] = {}
            for id_, trigger in wanted.items():
                old = known.entries.get(id_)
                if old is None or old.retired:
                    paused = old.paused if old else False
                    changes[id_] = Entry(trigger, server_now_ms, known.version + 1, origin, paused)
                elif old.trigger != trigger or old.origin != origin:
                    changes[id_] = replace(old, trigger=trigger, origin=origin)
            for id_, old in known.entries.items():
                if old.origin == origin and id_ not in wanted and not old.retired:
                    changes[id_] = replace(old, retired=True)
            return changes

        return self.edit(edit)

    def edit(self, decide: Any) -> Snapshot:
        """Apply `decide(snapshot) -> {trigger id: entry, or None to remove}`, again if another writer was first."""
        for _ in range(WRITE_TRIES):
            known = self._read()
            changes = decide(known)
            if not changes:
                self._snapshot = known
                return known
            pairs = [p for id_, entry in changes.items() for p in (id_, entry.to_json() if entry else "")]
            version = self.store.run(
                WRITE, [self.keys.registry, self.keys.registry_version], known.version, *pairs
            )
            if version != -1:
                return self.snapshot(at_least=version)
        raise Usage("the registry is being written by others all the time; try again when they are done")
