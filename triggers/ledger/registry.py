"""The registry: home of the triggers. Script, ClearML configuration and command line are its writers."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from triggers.base.errors import Unreadable, Usage
from triggers.base.formats import KNOWN, check_version, reading
from triggers.base.logs import logger
from triggers.ledger import clock
from triggers.ledger.base_tasks import BaseTasks
from triggers.ledger.keys import Keys
from triggers.ledger.store import Script, Store
from triggers.ledger.unread_triggers import Note
from triggers.model import Trigger
from triggers.rules.policies import STAMP_TOLERANCE_MS

log = logger(__name__)

WRITE = Script("registry_write")

#: How often a writer that came second reads again before it gives up.
WRITE_TRIES = 50


@dataclass(frozen=True, slots=True)
class Entry:
    """One registered trigger.

    `since_ms`: server time from which changes count. `version`: registry version from which they do; an
    edit keeps both, a trigger that comes back gets new ones.
    `origin`: the writer that declared it (`script`, `configuration`, `command`).
    `declared`: digest of what the script declared last, "" when it does not declare this trigger.
    `source`: the file that says what the trigger is now; `declared_in`: the one that declared last. "" if unknown.
    `ahead_ms`: what it was before the server's clock was set back, 0 if that did not happen.
    `paused` survives registering again. `retired`: no longer declared; kept so that its memory is.
    """

    trigger: Trigger
    since_ms: int
    version: int
    origin: str
    paused: bool = False
    retired: bool = False
    declared: str = ""
    source: str = ""
    declared_in: str = ""
    ahead_ms: int = 0

    def counts(self, changed_ms: int, read_ms: int | None = None) -> bool:
        """Whether a change of that server time is late enough to fire.

        Args:
            changed_ms: its time.
            read_ms: the server's time when it was read. What has a later one was stamped before the server's clock
                was set back, so that `since_ms` as it was then counts.
        """
        stamped_before = read_ms is not None and changed_ms > read_ms + STAMP_TOLERANCE_MS
        return changed_ms >= max(self.since_ms, self.ahead_ms if stamped_before else 0)

    def set_back(self, since_ms: int, version: int) -> Entry:
        """The entry after the server's clock was set back to before the time from which changes count."""
        return replace(self, since_ms=since_ms, version=version, ahead_ms=max(self.ahead_ms, self.since_ms))

    def to_json(self) -> str:
        """The text kept in Redis."""
        fields = asdict(replace(self, trigger=None))  # type: ignore[arg-type]
        fields["trigger"] = self.trigger.to_json()
        if not self.ahead_ms:  # nearly always; earlier releases do not know it
            del fields["ahead_ms"]
        return json.dumps(fields | {"v": KNOWN["entry"]}, sort_keys=True)

    @classmethod
    def from_json(cls, id_: str, text: str) -> Entry:
        """Read the text kept in Redis under a trigger's id.

        Raises:
            Newer, Unreadable: a later release wrote it; nobody did.
        """
        with reading("entry", f"of trigger {id_!r}"):
            fields: dict[str, Any] = json.loads(text)
            check_version("entry", fields.pop("v", 1), f"of trigger {id_!r}")
            fields["trigger"] = Trigger.from_json(fields["trigger"])
            entry = cls(**fields)
            entry._check(id_)
            return entry

    def _check(self, id_: str) -> None:
        numbers, texts = (
            (self.since_ms, self.version, self.ahead_ms),
            (self.origin, self.declared, self.source, self.declared_in),
        )
        flags = (self.paused, self.retired)
        if self.trigger.id != id_:
            raise ValueError(f"it holds the trigger {self.trigger.id!r}")
        if not all(type(one) is int for one in numbers) or not all(type(one) is bool for one in flags):
            raise TypeError("since_ms, version, ahead_ms, paused or retired is of another type")
        if not all(isinstance(one, str) for one in texts):
            raise TypeError("origin, declared, source or declared_in is of another type")


@dataclass(frozen=True, slots=True)
class Unread:
    """An entry that this release cannot read: why, and what can be seen of it all the same."""

    why: str
    paused: bool
    since_ms: int | None
    text: str = ""

    @classmethod
    def of(cls, text: str, fault: Unreadable) -> Unread:
        """Look at an entry that could not be decoded."""
        try:
            seen = json.loads(text)
        except (ValueError, RecursionError):
            seen = None
        seen = seen if isinstance(seen, dict) else {}
        since_ms = seen.get("since_ms")
        return cls(str(fault), seen.get("paused") is True, since_ms if type(since_ms) is int else None, text)


@dataclass(frozen=True)
class Snapshot:
    """The registry at one version; never changes.

    `unreadable`: trigger id → an entry that this release cannot read. It is set aside, and the others go on.
    """

    version: int
    entries: Mapping[str, Entry]
    unreadable: Mapping[str, Unread] = field(default_factory=dict)

    def get(self, trigger_id: str) -> Entry | None:
        """The entry of a trigger that is declared, None when it is retired or was never there."""
        entry = self.entries.get(trigger_id)
        return None if entry is None or entry.retired else entry

    @property
    def whys(self) -> dict[str, str]:
        """Why each of the unreadable entries is set aside."""
        return {id_: unread.why for id_, unread in self.unreadable.items()}

    @property
    def active(self) -> list[Entry]:
        """Entries whose triggers are matched: all but the retired. Paused ones match; their firings wait."""
        return [entry for entry in self.entries.values() if not entry.retired]


#: (registry as it is, version it will have) → entry by trigger id, None to remove it.
Edit = Callable[[Snapshot, int], Mapping[str, "Entry | None"]]


class Registry:
    """Reads and writes the registry of one scheduler."""

    def __init__(self, store: Store, keys: Keys) -> None:
        self.store, self.keys, self.base_tasks = store, keys, BaseTasks(store, keys)
        self._snapshot: Snapshot | None = None

    def snapshot(self, version: int | None = None) -> Snapshot:
        """The registry as it is now; read only if it changed.

        Args:
            version: the present version where the caller has just learned it, None to ask for it.
        """
        known = self._snapshot
        if known is None or known.version != (self.version() if version is None else version):
            known = self._snapshot = self._read()
        return known

    def is_base_task(self, task_id: str) -> bool:
        """Whether a ClearML task is, or was, the base task of any trigger: also of one that was edited or deleted."""
        known = self.snapshot()
        triggers = [entry.trigger for entry in known.entries.values()]
        return self.base_tasks.has(task_id, triggers, [unread.text for unread in known.unreadable.values()])

    def version(self) -> int:
        """The present version; 0 when nothing was ever registered."""
        version: Any = self.store.client.get(self.keys.registry_version)
        return int(version or 0)

    def _first_version(self) -> int:
        """A number larger than any that a Redis which came back empty may have given before: its time in ms."""
        return clock.now_ms(self.store.client, self.keys)

    def _read(self) -> Snapshot:
        with self.store.client.pipeline(transaction=True) as pipe:
            pipe.get(self.keys.registry_version)
            pipe.hgetall(self.keys.registry)
            version, texts = pipe.execute()
        entries, unreadable = {}, {}
        for id_, text in texts.items():
            try:
                entries[id_] = Entry.from_json(id_, text)
            except Unreadable as fault:
                unreadable[id_] = Unread.of(text, fault)
        return Snapshot(int(version or 0), entries, unreadable)

    def declare(
        self,
        triggers: Iterable[Trigger],
        *,
        origin: str,
        server_now_ms: int,
        since_ms: Mapping[str, int] | None = None,
        sources: Mapping[str, str] | None = None,
        restored: Mapping[str, Entry] | None = None,
    ) -> Snapshot:
        """Make `triggers` the whole of what the script declares. See `declaration`."""
        return self.edit(self.declaration(triggers, origin, server_now_ms, since_ms, sources, restored))

    def declaration(
        self,
        triggers: Iterable[Trigger],
        origin: str,
        server_now_ms: int,
        since_ms: Mapping[str, int] | None = None,
        sources: Mapping[str, str] | None = None,
        restored: Mapping[str, Entry] | None = None,
    ) -> Edit:
        """The edit that makes `triggers` the whole of what the script declares.

        New ones are active from `server_now_ms`; known ones keep `since_ms`, memory and pause; those no longer
        declared are retired, and come back with a new `since_ms`. What another writer has changed or removed
        since stays as it is for as long as the script declares the same as the last time. Idempotent.

        Args:
            triggers: what is declared now.
            origin: the writer.
            server_now_ms: the server's time.
            since_ms: an earlier time from which changes count, for triggers known from before this Redis.
            sources: trigger id → name of the file that declares it.
            restored: entries of other writers, known from before this Redis; those that are here already stay.
        """
        wanted = {trigger.id: trigger for trigger in triggers}
        since, files = since_ms or {}, sources or {}

        def edit(found: Snapshot, version: int) -> dict[str, Entry | None]:
            here = {*found.entries, *found.unreadable}
            new = {id_: replace(one, version=version) for id_, one in (restored or {}).items() if id_ not in here}
            known = replace(found, entries={**found.entries, **new})
            changes: dict[str, Entry | None] = {**new}
            for id_, trigger in wanted.items():
                start = since.get(id_, server_now_ms)
                entry = self._declared(known, trigger, version, origin, start, files.get(id_, ""))
                if entry is not None:
                    changes[id_] = entry
            for id_, old in known.entries.items():
                if (old.declared or old.origin == origin) and id_ not in wanted and not old.retired:
                    changes[id_] = replace(old, retired=True, origin=origin, declared="")
            return changes

        return edit

    def _declared(
        self, known: Snapshot, trigger: Trigger, version: int, origin: str, start_ms: int, source: str
    ) -> Entry | None:
        """The entry of a trigger that is declared; None where it stays as it is."""
        old, unread, digest = known.entries.get(trigger.id), known.unreadable.get(trigger.id), trigger.digest
        if unread is not None:
            log.warning("%s; it is replaced by what is declared now", unread.why)
            since_ms = self.passed_by_since(trigger.id, unread, start_ms)
            return Entry(trigger, since_ms, version, origin, unread.paused, False, digest, source, source)
        if old is not None and old.origin != origin and old.declared == digest:
            return None
        if old is None or old.retired:
            paused = old.paused if old else False
            return Entry(trigger, start_ms, version, origin, paused, False, digest, source, source)
        fresh = replace(old, trigger=trigger, origin=origin, declared=digest, source=source, declared_in=source)
        return fresh if fresh != old else None

    def passed_by_since(self, id_: str, unread: Unread, server_now_ms: int) -> int:
        """From when on changes passed by a trigger whose entry cannot be read."""
        noted: Any = self.store.client.hget(self.keys.aside, id_)
        if noted:
            return Note.from_text(noted).from_ms
        return server_now_ms if unread.since_ms is None else unread.since_ms

    def edit(self, decide: Edit) -> Snapshot:
        """Apply a change, deciding again if another writer was first.

        Args:
            decide: (registry as it is, version it will have) → entry by trigger id, None to remove it.
        """
        for _ in range(WRITE_TRIES):
            known = self._read()
            version = known.version + 1 if known.version else self._first_version()
            changes = decide(known, version)
            if not changes:
                self._snapshot = known
                return known
            entries = [*known.entries.values(), *filter(None, changes.values())]
            self.base_tasks.note(entry.trigger for entry in entries)
            pairs = [p for id_, entry in changes.items() for p in (id_, entry.to_json() if entry else "")]
            names = [self.keys.registry, self.keys.registry_version]
            if self.store.run(WRITE, names, known.version, version, *pairs) != -1:
                return self.snapshot()
        raise Usage("the registry is being written by others all the time; try again when they are done")
