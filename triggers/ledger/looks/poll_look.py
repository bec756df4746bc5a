"""What a poll looks at before it asks the ClearML server, found in one trip."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from triggers.ledger import clock
from triggers.ledger.keys import Keys
from triggers.ledger.polling.reading import Cursor
from triggers.ledger.polling.service_watch import SeenServiceTask
from triggers.ledger.registry.unread_triggers import Note, over
from triggers.ledger.store import Store


@dataclass(frozen=True, slots=True)
class PollLook:
    """One scheduler at the beginning of a poll, whose lease is held; only that poll changes most of it.

    Attributes:
        now_ms: That time, by the ledger's clock.
        registry_version: Of the registry.
        notes: The quarantined triggers.
        cursors: How far each source was read.
        polled_ms: When that was, by the ledger's clock, of the sources that were ever read.
        stamps_ms: How far the server's clock that stamps changes is ahead of its `Date`.
        waiting_partitions: The number of partitions that waiting events were cut for; None where none wait.
        service: The scheduler's service tasks, as polls have seen them.
        began: When this was found, by the monotonic clock of this process.
    """

    now_ms: int
    registry_version: int
    notes: Mapping[str, Note]
    cursors: Mapping[str, Cursor]
    polled_ms: Mapping[str, int]
    stamps_ms: int
    waiting_partitions: int | None
    service: SeenServiceTask
    began: float

    def over(self, unreadable: Collection[str]) -> dict[str, Note]:
        """The quarantined triggers that are to be read again: as `unread_triggers.over`."""
        return over(self.notes, unreadable, self.now_ms)

    def idle_ms(self, source: str) -> int | None:
        """How long nothing of a source has been stored by now, ms; None if it was never read."""
        polled_ms = self.polled_ms.get(source)
        if polled_ms is None:
            return None
        return max(0, self.now_ms - polled_ms) + int((time.monotonic() - self.began) * 1000)


def look(store: Store, keys: Keys, sources: Sequence[str]) -> PollLook:
    """Look at all of it, by one trip."""
    with store.client.pipeline(transaction=False) as pipe:
        clock.ask(pipe, keys)
        pipe.get(keys.registry_version)
        pipe.hgetall(keys.unread_triggers)
        pipe.hmget(keys.epoch, ["stamps_ms", "partitions"])
        pipe.exists(keys.ready)
        pipe.exists(keys.undecided_partitions)
        pipe.hgetall(keys.service_watch)
        for source in sources:
            pipe.hgetall(keys.cursor(source))
        time_, known, version, notes, epoch, ready, undecided, service, *found = pipe.execute()
    now_ms, _ = clock.made_of(time_, known)
    stamps, partitions = epoch
    stored: dict[str, Any] = dict(zip(sources, found, strict=True))
    return PollLook(
        now_ms=now_ms,
        registry_version=int(version or 0),
        notes={id_: Note.from_text(text) for id_, text in notes.items()},
        cursors={source: Cursor.of(fields) for source, fields in stored.items()},
        polled_ms={source: ms for source, fields in stored.items() if (ms := _number(fields.get("polled_ms")))},
        stamps_ms=int(stamps) if stamps and stamps.lstrip("-").isdigit() else 0,
        waiting_partitions=_number(partitions) or None if ready or undecided else None,
        service=SeenServiceTask.of(service, now_ms),
        began=time.monotonic(),
    )


def _number(text: str | None) -> int:
    return int(text) if text and text.isdigit() else 0
