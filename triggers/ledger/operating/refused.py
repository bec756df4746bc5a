"""What was refused because of its signature: kept for people, who adopt it (`clearml-triggers unsigned`) or drop it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any, Final

from triggers.base.formats import known_fields
from triggers.ledger.keys import Keys
from triggers.ledger.store import Script, Store

TAKE = Script("quarantine")

#: How many are kept, the newest.
KEPT: Final = 1000


@dataclass(frozen=True, slots=True)
class Refusal:
    """One thing: what it claims to be, why it was refused and when (Redis' ms); of a batch its partition and text."""

    what: str
    why: str
    at_ms: int
    partition: int | None = None
    text: str = ""

    def to_json(self) -> str:
        """The text kept in Redis."""
        return json.dumps(asdict(self))


class Refusals:
    """The refusals of one scheduler."""

    def __init__(self, store: Store, keys: Keys) -> None:
        self.store, self.keys = store, keys

    def take_batch(self, partition: int, token: str, text: str, why: str, at_ms: int) -> None:
        """Move the oldest batch of a partition here, in one step and whole.

        Raises:
            Fenced: the partition was taken by another, or the batch is gone; nothing was changed.
        """
        names = [self.keys.lease(f"match:{partition}"), self.keys.batches(partition), self.keys.ready]
        kept = Refusal(f"batch of events in partition {partition}", why, at_ms, partition, text).to_json()
        self.store.run(TAKE, [*names, self.keys.refused], token, text, partition, kept, KEPT)

    def note(self, what: str, why: str, at_ms: int) -> None:
        """Note a refusal of something that stays where it is."""
        with self.store.client.pipeline(transaction=True) as pipe:
            pipe.lpush(self.keys.refused, Refusal(what, why, at_ms).to_json())
            pipe.ltrim(self.keys.refused, 0, KEPT - 1)
            pipe.execute()

    def count(self) -> int:
        """How many there are."""
        count: Any = self.store.client.llen(self.keys.refused)
        return int(count)

    def read(self) -> list[tuple[str, Refusal]]:
        """Those that are kept, the newest first, each with its text in Redis; what cannot be read is left out."""
        texts: Any = self.store.client.lrange(self.keys.refused, 0, KEPT - 1)
        found = []
        for text in texts:
            try:
                found.append((text, Refusal(**known_fields(Refusal, json.loads(text)))))
            except (ValueError, TypeError, AttributeError, RecursionError):
                continue
        return found

    def forget(self, text: str) -> None:
        """Forget one refusal, by its text in Redis."""
        self.store.client.lrem(self.keys.refused, 1, text)

    def drop(self) -> int:
        """Forget all; how many there were."""
        count = self.count()
        self.store.client.delete(self.keys.refused)
        return count
