"""Bounded streams of Redis, read backwards in pages or followed: the history, and the events as they were stored."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from triggers.ledger.keys import Keys
from triggers.ledger.polling.batches import decode_batch
from triggers.ledger.store import Store

Fields = dict[str, str]


class Stream:
    """One stream, and up to where it was followed."""

    def __init__(self, store: Store, name: str) -> None:
        self.store, self.name, self._after = store, name, "0-0"

    def backwards(self, since: str = "-", page: int = 1000, before: str = "") -> Iterator[tuple[str, Fields]]:
        """Entries as (id, fields), the newest first or from before an id on, down to an id or a time in ms."""
        end = f"({before}" if before else "+"
        while True:
            found: Any = self.store.client.xrevrange(self.name, end, since, page)
            yield from found
            if len(found) < page:
                return
            end = f"({found[-1][0]}"

    def each(self, ids: Sequence[str]) -> list[tuple[str, Fields]]:
        """Entries by their ids, in that order; without those that are no longer kept."""
        with self.store.client.pipeline(transaction=False) as pipe:
            for id_ in ids:
                pipe.xrange(self.name, id_, id_)
            answers: list[Any] = pipe.execute() if ids else []
        return [(id_, fields) for answer in answers for id_, fields in answer]

    def start_at_end(self) -> None:
        """Let `fresh` give what comes from now on."""
        newest: Any = self.store.client.xrevrange(self.name, "+", "-", 1)
        self._after = str(newest[0][0]) if newest else "0-0"

    def fresh(self, page: int = 1000) -> Iterator[tuple[str, Fields]]:
        """Entries that have come since those that were given last, oldest first.

        Raises:
            redis.RedisError: Redis gave no answer; the next call goes on from the same place.
        """
        while True:
            found: Any = self.store.client.xrange(self.name, f"({self._after}", "+", page)
            for id_, fields in found:
                yield id_, fields
                self._after = id_
            if len(found) < page:
                return


class Events(Stream):
    """The batches of events as polls stored them, of which the newest are kept for people."""

    def __init__(self, store: Store, keys: Keys) -> None:
        super().__init__(store, keys.events)

    def lines_backwards(self, page: int) -> Iterator[tuple[str, ...]]:
        """The events of each batch as lines, the newest batch first; without those of another release."""
        for _, fields in self.backwards(page=page):
            try:
                yield decode_batch(fields.get("batch", "")).events
            except ValueError:
                continue
