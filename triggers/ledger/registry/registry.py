"""The registry: home of the triggers. Script, ClearML configuration and command line are its writers."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import Any, NamedTuple

from triggers.base.errors import Unreadable, Usage
from triggers.base.logs import logger
from triggers.ledger import clock
from triggers.ledger.keys import Keys
from triggers.ledger.registry import registry_texts
from triggers.ledger.registry.base_tasks import BaseTasks
from triggers.ledger.registry.entries import Entry, Unread, with_new_times
from triggers.ledger.registry.unread_triggers import Note
from triggers.ledger.signing import NO_KEY, Signer, Unsigned, is_sealed, parted
from triggers.ledger.store import Store
from triggers.model import Trigger
from triggers.model.kinds import KINDS, Kind

__all__ = ["Edit", "Entry", "Registry", "Snapshot", "Unread"]

log = logger(__name__)

#: How often a writer that came second reads again before it gives up.
WRITE_TRIES = 50


class Entries(list[Entry]):
    """Entries of a registry at one version, found by kind once: ticks of ten thousand triggers look at none of them."""

    @cached_property
    def by_kind(self) -> dict[Kind, list[Entry]]:
        """The entries of each kind that there is."""
        found: dict[Kind, list[Entry]] = {}
        for entry in self:
            found.setdefault(entry.trigger.kind, []).append(entry)
        return found


@dataclass(frozen=True)
class Snapshot:
    """The registry at one version; never changes.

    `unreadable`: trigger id → an entry that this release cannot read. It is quarantined, and the others go on.
    `sealed`: some entries are signed, by whichever key.
    """

    version: int
    entries: Mapping[str, Entry]
    unreadable: Mapping[str, Unread] = field(default_factory=dict)
    sealed: bool = False

    def get(self, trigger_id: str) -> Entry | None:
        """The entry of a trigger that is declared, None when it is retired or was never there."""
        entry = self.entries.get(trigger_id)
        return None if entry is None or entry.retired else entry

    @property
    def whys(self) -> dict[str, str]:
        """Why each of the unreadable entries is quarantined."""
        return {id_: unread.why for id_, unread in self.unreadable.items()}

    @cached_property
    def active(self) -> Entries:
        """Entries whose triggers are matched: all but the retired. Paused ones match; their firings wait."""
        return Entries(entry for entry in self.entries.values() if not entry.retired)

    @cached_property
    def limited(self) -> dict[str, float]:
        """Hours that launches may run, by trigger, of those that limit them."""
        limits = ((id_, entry.trigger.policy.limit_execution_time) for id_, entry in self.entries.items())
        return {id_: hours for id_, hours in limits if hours}

    @cached_property
    def watched(self) -> dict[str, int]:
        """Failures in a row after which a trigger is paused, of those in use that have a number."""
        counts = ((e.trigger.id, e.trigger.policy.pause_on_failures) for e in self.active if not e.paused)
        return {id_: count for id_, count in counts if count}


#: (registry as it is, version it will have) → entry by trigger id, None to remove it.
Edit = Callable[[Snapshot, int], Mapping[str, "Entry | None"]]


class _Decoded(NamedTuple):
    """What was read from a text, and a digest that tells this text from any other."""

    digest: bytes
    found: Entry | Unread
    sealed: bool


def _digest(text: str) -> bytes:
    """Tell a text from any other, in a tenth of its memory."""
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()


class Registry:
    """Reads and writes the registry of one scheduler."""

    def __init__(self, store: Store, keys: Keys, signer: Signer = NO_KEY) -> None:
        self.store, self.keys, self.signer = store, keys, signer
        self.base_tasks = BaseTasks(store, keys)
        self._snapshot: Snapshot | None = None
        #: each entry as it was read last
        self._decoded: dict[str, _Decoded] = {}

    def snapshot(self, version: int | None = None) -> Snapshot:
        """The registry as it is now; read only if it changed.

        Args:
            version: the present version where the caller has just learned it, None to ask for it.
        """
        known = self._snapshot
        if known is None or known.version != (self.version() if version is None else version):
            known = self._snapshot = self._read()
        return known

    def known(self, version: int) -> Snapshot | None:
        """The registry at that version, if it was read last; None otherwise."""
        known = self._snapshot
        return known if known is not None and known.version == version else None

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
        version, decoded = registry_texts.read(self.store, self.keys, self._decoded_of)
        self._decoded = decoded
        entries = {id_: one.found for id_, one in decoded.items() if isinstance(one.found, Entry)}
        unreadable = {id_: one.found for id_, one in decoded.items() if isinstance(one.found, Unread)}
        return Snapshot(version, entries, unreadable, any(one.sealed for one in decoded.values()))

    def _decoded_of(self, id_: str, text: str) -> _Decoded:
        """Decode an entry; one whose text is as before is not decoded again, and stays the same object."""
        known, digest = self._decoded.get(id_), _digest(text)
        if known is not None and known.digest == digest:
            return known
        return _Decoded(digest, self._decode(id_, text), is_sealed(text))

    def _texts(self) -> dict[str, str]:
        """All texts; of another version than the one in hand, they are not written."""
        return registry_texts.read(self.store, self.keys, lambda _, text: text)[1]

    def _decode(self, id_: str, text: str) -> Entry | Unread:
        try:
            return Entry.from_json(id_, self.signer.unseal("trigger", id_, text))
        except Unsigned as fault:
            return Unread.refused(id_, parted(text)[0], fault)
        except Unreadable as fault:
            return Unread.of(parted(text)[0], fault)

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
                start = since.get(id_, self.start_ms(trigger.kind, server_now_ms))
                entry = self._declared(known, trigger, version, origin, start, files.get(id_, ""))
                if entry is not None:
                    changes[id_] = entry
            for id_, old in known.entries.items():
                if (old.declared or old.origin == origin) and id_ not in wanted and not old.retired:
                    changes[id_] = replace(old, retired=True, origin=origin, declared="")
            return changes

        return edit

    def start_ms(self, kind: Kind, server_now_ms: int) -> int:
        """From when on a new trigger of a kind counts: the server's time, or Redis' where only that counts."""
        return clock.wall_ms(self.store.client, self.keys) if KINDS[kind].by_redis_clock else server_now_ms

    def _declared(
        self, known: Snapshot, trigger: Trigger, version: int, origin: str, start_ms: int, source: str
    ) -> Entry | None:
        """The entry of a trigger that is declared; None where it stays as it is."""
        old, unread, digest = known.entries.get(trigger.id), known.unreadable.get(trigger.id), trigger.digest
        if unread is not None:
            log.warning("%s; replacing it with the present declaration", unread.why)
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
        noted: Any = self.store.client.hget(self.keys.unread_triggers, id_)
        if noted:
            return Note.from_text(noted).from_ms
        return server_now_ms if unread.since_ms is None else unread.since_ms

    def require_key(self, known: Snapshot | None = None) -> None:
        """Let those pass who can sign what others verify.

        Raises:
            Usage: what is registered is signed, and this process has no key.
        """
        if not self.signer.has_key and (known or self.snapshot()).sealed:
            raise Usage(
                "the triggers here are signed, and workers refuse what is not: set TRIGGERS_SIGNING_KEY (or its file "
                "in the secrets folder) to the key that the workers have"
            )

    def _sealed(self, id_: str, entry: Entry | None) -> str:
        return self.signer.seal("trigger", id_, entry.to_json()) if entry else ""

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
            changes = with_new_times(known.entries, changes, partial(clock.wall_ms, self.store.client, self.keys))
            entries = [*known.entries.values(), *filter(None, changes.values())]
            self.base_tasks.note(entry.trigger for entry in entries)
            self.require_key(known)
            sealed = {id_: self._sealed(id_, entry) for id_, entry in changes.items()}
            texts = {} if len(sealed) <= registry_texts.ONE_SCRIPT else self._texts()
            if registry_texts.write(self.store, self.keys, (known.version, version), texts, sealed):
                return self.snapshot()
        raise Usage("other processes keep writing the registry; try again when they have finished")
