"""Quarantine: what no release can read, taken out of the way of the rest and kept for people, the newest first."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final

from triggers.ledger.keys import Keys
from triggers.ledger.store import Script, Store

TAKE = Script("quarantine")

#: How many are kept, and how much of the text of each.
KEPT: Final = 1000
TEXT_LENGTH: Final = 10_000


@dataclass(frozen=True, slots=True)
class Quarantined:
    """One thing: `what` it should have been, `why` it could not be read, its `text`, cut where it is long."""

    what: str
    why: str
    text: str

    def to_json(self) -> str:
        """The text kept in Redis."""
        return json.dumps({"what": self.what, "why": self.why, "text": self.text[:TEXT_LENGTH]})

    @classmethod
    def from_json(cls, text: str) -> Quarantined:
        """Read the text kept in Redis; one that is none of ours is shown as it is."""
        try:
            found = json.loads(text)
            return cls(*(str(found[name]) for name in ("what", "why", "text")))
        except (ValueError, TypeError, KeyError, RecursionError):
            return cls("unknown", "its record in the quarantine cannot be read", text[:TEXT_LENGTH])


class Quarantine:
    """The quarantine of one scheduler."""

    def __init__(self, store: Store, keys: Keys) -> None:
        self.store, self.keys = store, keys
        #: where it lies in Redis, for people
        self.name = keys.quarantine

    def take_batch(self, partition: int, token: str, text: str, why: str) -> None:
        """Move the oldest batch of a partition here, in one step.

        Raises:
            Fenced: the partition was taken by another, or the batch is gone; nothing was changed.
        """
        names = [self.keys.lease(f"match:{partition}"), self.keys.batches(partition), self.keys.ready]
        kept = Quarantined(f"batch of partition {partition}", why, text).to_json()
        self.store.run(TAKE, [*names, self.keys.quarantine], token, text, partition, kept, KEPT)

    def keep(self, found: list[Quarantined]) -> None:
        """Keep parts of a batch that is about to be matched without them; twice, when it is matched again."""
        if found:
            with self.store.client.pipeline(transaction=True) as pipe:
                pipe.lpush(self.keys.quarantine, *(one.to_json() for one in found))
                pipe.ltrim(self.keys.quarantine, 0, KEPT - 1)
                pipe.execute()

    def count(self) -> int:
        """How many there are."""
        count: Any = self.store.client.llen(self.keys.quarantine)
        return int(count)

    def read(self, count: int = KEPT) -> list[Quarantined]:
        """The newest ones."""
        found: Any = self.store.client.lrange(self.keys.quarantine, 0, count - 1)
        return [Quarantined.from_json(text) for text in found]
