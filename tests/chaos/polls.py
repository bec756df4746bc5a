"""Polls that were completed, as the ledger says: for what may be done only after the next one."""

from __future__ import annotations

from triggers.ledger import Ledger

#: what is read from the ClearML server
SOURCES = ("tasks", "models")
#: after so many different times of a read the last of these has begun after the first
READS = 3


class Polls:
    """Tells whether every source was read by a poll that began after `begin`."""

    def __init__(self) -> None:
        self._seen: dict[str, set[str]] = {}

    def begin(self) -> None:
        """Count anew from now on."""
        self._seen = {source: set() for source in SOURCES}

    def look(self, ledger: Ledger) -> None:
        """Note when each source was read last."""
        for source, seen in self._seen.items():
            read: object = ledger.store.client.hget(ledger.keys.cursor(source), "polled_ms")
            if read:
                seen.add(str(read))

    @property
    def completed(self) -> bool:
        """Whether all that was there at `begin` has been read; also where it was never called."""
        return all(len(seen) >= READS for seen in self._seen.values())
