"""What sync remembers of one scheduler: what it wrote to ClearML last, and how far it has told what happened."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from triggers.ledger import leases
from triggers.ledger.keys import Keys
from triggers.ledger.store import Script, Store

WRITE = Script("sync_write")

_LEASE = "sync"


class Syncing:
    """The memory of sync; one syncer at a time writes it."""

    def __init__(self, store: Store, keys: Keys) -> None:
        self.store, self.keys = store, keys

    @contextmanager
    def turn(self, lease_seconds: float) -> Iterator[str | None]:
        """Hold the lease while the body runs; yields None when another is at it."""
        with leases.held(self.store, self.keys, _LEASE, lease_seconds) as token:
            yield token

    def read(self) -> dict[str, str]:
        """All that is remembered, by field."""
        found: Any = self.store.client.hgetall(self.keys.sync)
        return dict(found)

    def write(self, token: str, fields: Mapping[str, str]) -> None:
        """Remember some fields; an empty text forgets one.

        Raises:
            Fenced: the lease was lost.
        """
        if fields:
            pairs = [part for pair in fields.items() for part in pair]
            self.store.run(WRITE, [self.keys.lease(_LEASE), self.keys.sync], token, *pairs)
