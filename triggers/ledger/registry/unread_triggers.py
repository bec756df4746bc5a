"""Quarantined triggers: their entries cannot be read by somebody at work, so that changes pass them by.

Whoever polls or matches without a trigger notes from when on. Once nobody has noted it for a minute, the next
poll that can read the entry reads from there again, as for a trigger that is new.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final

from triggers.ledger.keys import Keys
from triggers.ledger.store import Script, Store

NOTE, DONE = Script("unread_note"), Script("unread_done")

#: So long nobody may have worked without the trigger before its changes are read again, ms.
QUIET_MS: Final = 60_000


@dataclass(frozen=True, slots=True)
class Note:
    """Changes from `from_ms` on (server time) passed a trigger by; a worker reported it last at `noted_ms` (Redis)."""

    from_ms: int
    noted_ms: int
    why: str
    text: str

    @classmethod
    def from_text(cls, text: str) -> Note:
        """Read the text kept in Redis."""
        from_ms, _, rest = text.partition(" ")
        noted_ms, _, why = rest.partition(" ")
        return cls(int(from_ms) if from_ms.isdigit() else 0, int(noted_ms) if noted_ms.isdigit() else 0, why, text)


def over(notes: Mapping[str, Note], unreadable: Collection[str], now_ms: int) -> dict[str, Note]:
    """Those that this process can read and nobody has noted for a minute: to be read again from there."""
    return {id_: note for id_, note in notes.items() if id_ not in unreadable and now_ms - note.noted_ms >= QUIET_MS}


class UnreadTriggers:
    """The notes of one scheduler."""

    def __init__(self, store: Store, keys: Keys) -> None:
        self.store, self.keys = store, keys

    def note(self, whys: Mapping[str, str], from_ms: int) -> None:
        """Note that changes from a server time on pass these triggers by, and why; before they do."""
        pairs = [part for pair in whys.items() for part in pair]
        if pairs:
            self.store.run(NOTE, [self.keys.unread_triggers], max(0, from_ms), *pairs)

    def notes(self) -> dict[str, Note]:
        """All notes by trigger id."""
        found: Any = self.store.client.hgetall(self.keys.unread_triggers)
        return {id_: Note.from_text(text) for id_, text in found.items()}

    def over(self, unreadable: Collection[str], now_ms: int) -> dict[str, Note]:
        """Those that are to be read again, as `over` says."""
        return over(self.notes(), unreadable, now_ms)

    def done(self, notes: Mapping[str, Note]) -> None:
        """Forget notes whose changes have been read again."""
        pairs = [part for id_, note in notes.items() for part in (id_, note.text)]
        if pairs:
            self.store.run(DONE, [self.keys.unread_triggers], *pairs)
