"""Polls that were completed, as the ledger says: for what may be done only after the next one."""

from __future__ import annotations

import time
from collections.abc import Callable

from triggers.ledger import Ledger

#: what is read from the ClearML server
SOURCES = ("tasks", "models")
#: after so many different times of a read the last of these has begun after the first
READS = 3


class Polls:
    """Tells whether every source was read by a poll that shows all that was there at `begin`.

    `late_seconds`: how long after a write reads show it; a poll that begins sooner does not count.
    """

    def __init__(self, late_seconds: float = 0.0, clock: Callable[[], float] = time.monotonic) -> None:
        self.late_seconds, self._clock, self._from = late_seconds, clock, 0.0
        self._seen: dict[str, set[str]] = {}

    def begin(self) -> None:
        """Count anew from now on."""
        self._from = self._clock() + self.late_seconds
        self._seen = {source: set() for source in SOURCES}

    def look(self, ledger: Ledger) -> None:
        """Note when each source was read last."""
        if self._clock() < self._from:
            return
        for source, seen in self._seen.items():
            read: object = ledger.store.client.hget(ledger.keys.cursor(source), "polled_ms")
            if read:
                seen.add(str(read))

    @property
    def completed(self) -> bool:
        """Whether all that was there at `begin` has been read; also where it was never called."""
        return all(len(seen) >= READS for seen in self._seen.values())
