"""The history of a scheduler: newest first for a look back, oldest first to follow."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from triggers.ledger.history.history import HistoryEntry
from triggers.model.parts import is_part
from triggers.operate import wording
from triggers.operate.target import Target

_CHUNK = 500


@dataclass(frozen=True, slots=True)
class Filter:
    """Which entries are asked for; "" and None let all pass."""

    trigger: str = ""
    object: str = ""
    what: tuple[str, ...] = ()
    since_ms: int = 0

    def passes(self, entry: HistoryEntry) -> bool:
        """Whether an entry is asked for."""
        return (
            (not self.trigger or entry.trigger == self.trigger)
            and (not self.object or entry.object == self.object)
            and (not self.what or entry.what in self.what)
        )


def newest(target: Target, wanted: Filter, limit: int) -> list[HistoryEntry]:
    """The last entries that pass, oldest of them first."""
    found: list[HistoryEntry] = []
    if limit < 1:
        return found
    chunk = min(_CHUNK, limit) if wanted == Filter() else _CHUNK
    for entry in _backwards(target, wanted.since_ms, chunk):
        if wanted.passes(entry):
            found.append(entry)
            if len(found) == limit:
                break
    return found[::-1]


def _backwards(target: Target, since_ms: int, chunk: int) -> Iterator[HistoryEntry]:
    for id_, fields in target.ledger.happenings().backwards(str(since_ms), chunk):
        yield HistoryEntry.of(id_, fields)


def last_id(target: Target) -> str:
    """The id of the newest entry, after which `later` reads on."""
    return target.ledger.history.newest_id() or "0-0"


def later(target: Target, after: str) -> list[HistoryEntry]:
    """Entries after an id, oldest first."""
    return target.ledger.history.read(after, _CHUNK)


def action_labels(target: Target, entries: Iterable[HistoryEntry]) -> dict[str, str]:
    """Which action of its firing each entry is about, by the firing's key; firings themselves are missing."""
    of_actions = {entry.firing: entry.trigger for entry in entries if is_part(entry.firing)}
    known = target.ledger.registry.snapshot().entries if of_actions else {}
    return {
        key: wording.part(known[trigger].trigger if trigger in known else None, key)
        for key, trigger in of_actions.items()
    }
