"""The request log: every call that came, and how many of each kind from whom."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

#: entries kept; counts are kept without limit
ENTRIES_KEPT = 200_000


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """One call."""

    number: int
    #: seconds since the epoch by the server's clock, when the call was answered
    at: float
    endpoint: str
    caller: str
    #: HTTP status; 0: the connection was closed without an answer
    status: int
    subcode: int
    milliseconds: float
    #: bytes of the bodies, of the call and of its answer
    received: int
    sent: int
    #: kinds of the faults that hit it
    faults: tuple[str, ...]
    #: False: there is no such call here
    known: bool

    def shown(self) -> dict[str, Any]:
        """The entry as JSON."""
        return asdict(self)


class Journal:
    """The calls since the start or the last reset."""

    def __init__(self) -> None:
        self.entries: deque[JournalEntry] = deque(maxlen=ENTRIES_KEPT)
        self.counts: Counter[tuple[str, str]] = Counter()
        self._number = 0

    def add(self, **values: Any) -> None:
        """Note a call."""
        self._number += 1
        entry = JournalEntry(number=self._number, **values)
        self.entries.append(entry)
        self.counts[entry.caller, entry.endpoint] += 1

    def after(self, number: int) -> Iterator[JournalEntry]:
        """Entries with a higher number."""
        return (entry for entry in self.entries if entry.number > number)

    def by_endpoint(self) -> dict[str, int]:
        """How many calls of each endpoint."""
        total: Counter[str] = Counter()
        for (_, endpoint), number in self.counts.items():
            total[endpoint] += number
        return dict(total)

    def by_caller(self) -> dict[str, dict[str, int]]:
        """How many calls of each endpoint by each caller."""
        total: dict[str, dict[str, int]] = {}
        for (caller, endpoint), number in self.counts.items():
            total.setdefault(caller, {})[endpoint] = number
        return total
