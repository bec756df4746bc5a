"""What a stage remembers of one scheduler: sync its last writes to ClearML, notify the notices that it sent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from triggers.ledger import leases
from triggers.ledger.keys import Keys
from triggers.ledger.store import Script, Store

WRITE = Script("sync_write")


class LeasedFields:
    """Fields that one process at a time writes, holding the lease of a stage."""

    def __init__(self, store: Store, keys: Keys, lease: str, name: str) -> None:
        """Prepare; `lease` is the name of the lease, `name` the key of the hash."""
        self.store, self.keys, self._lease, self._name = store, keys, lease, name

    @contextmanager
    def turn(self, lease_seconds: float) -> Iterator[str | None]:
        """Hold the lease while the body runs; yields None when another is at it."""
        with leases.held(self.store, self.keys, self._lease, lease_seconds) as token:
            yield token

    def read(self, names: Sequence[str]) -> dict[str, str]:
        """These fields, "" for what is not remembered."""
        found: Any = self.store.client.hmget(self._name, [*names])
        return {name: text or "" for name, text in zip(names, found, strict=True)}

    def names(self) -> list[str]:
        """The fields of which anything is remembered."""
        found: Any = self.store.client.hkeys(self._name)
        return list(found)

    def write(self, token: str, fields: Mapping[str, str]) -> None:
        """Remember some fields; an empty text forgets one.

        Raises:
            Fenced: the lease was lost.
        """
        if fields:
            pairs = [part for pair in fields.items() for part in pair]
            self.store.run(WRITE, [self.keys.lease(self._lease), self._name], token, *pairs)


class SyncFields(LeasedFields):
    """What sync remembers."""

    def __init__(self, store: Store, keys: Keys) -> None:
        super().__init__(store, keys, "sync", keys.sync)


class NoticeFields(LeasedFields):
    """What notify remembers."""

    def __init__(self, store: Store, keys: Keys) -> None:
        super().__init__(store, keys, "notify", keys.notices)
