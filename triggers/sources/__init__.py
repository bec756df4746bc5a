"""Where events come from: one file a source, and one table of them all.

A source says which kinds it reads, from when, how, and what an event's identity and time are. Storing events and
cursors is the ledger's, deciding on events `match`'s. To add a source: a file with a class of `source.Source`, and its
line in `SOURCES`; a kind of trigger of its own is a row of `model.kinds` and a class in `model.trigger`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from triggers.ledger.registry.registry import Entries, Entry
from triggers.model import Trigger
from triggers.model.kinds import Kind
from triggers.sources.clock import ClockSource
from triggers.sources.models import Models
from triggers.sources.source import Page, Source
from triggers.sources.tasks import Tasks

__all__ = ["SOURCES", "Page", "Source", "named", "of_kind", "of_source", "serving", "triggers_of"]

#: In the order in which a poll reads them.
SOURCES: Final[list[Source]] = [Models(), Tasks(), ClockSource()]


def of_kind(kind: Kind) -> Source:
    """Give the source that triggers of a kind are served from.

    Raises:
        LookupError: no source reads that kind.
    """
    for source in SOURCES:
        if kind in source.kinds:
            return source
    raise LookupError(f"no source reads the kind {kind!r}")


def named(name: str) -> Source:
    """Give the source of a name.

    Raises:
        LookupError: no source has it.
    """
    for source in SOURCES:
        if source.name == name:
            return source
    raise LookupError(f"no source {name!r}: one of {', '.join(source.name for source in SOURCES)}")


def serving(entries: Iterable[Entry]) -> list[Source]:
    """Give the sources that entries are served from, in the order in which they are read."""
    kinds = entries.by_kind.keys() if isinstance(entries, Entries) else {entry.trigger.kind for entry in entries}
    return [source for source in SOURCES if not kinds.isdisjoint(source.kinds)]


def of_source(source: Source, entries: Iterable[Entry]) -> list[Entry]:
    """Give the entries that a source serves."""
    if isinstance(entries, Entries):
        return [entry for kind in source.kinds for entry in entries.by_kind.get(kind, ())]
    return [entry for entry in entries if entry.trigger.kind in source.kinds]


def triggers_of(source: Source, triggers: Iterable[Trigger]) -> Sequence[Trigger]:
    """Give the triggers that a source serves."""
    return [trigger for trigger in triggers if trigger.kind in source.kinds]
