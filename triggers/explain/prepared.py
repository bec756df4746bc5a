"""What explanations and long lists need of all triggers, made once for each state of the registry."""

from __future__ import annotations

from functools import cached_property
from heapq import nsmallest
from typing import Any
from weakref import WeakKeyDictionary

from triggers import sources
from triggers.ledger.registry.registry import Entry, Registry, Snapshot
from triggers.model.events import Event
from triggers.rules.conditions import Condition
from triggers.rules.index import Index
from triggers.sources import Source


class Prepared:
    """The triggers of one state of the registry, ready to be asked about objects."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self._needs: dict[str, Any] = {}
        self._serving: dict[str, list[Entry]] = {}

    @cached_property
    def index(self) -> Index:
        """The index of those that are active, as matching has it."""
        return Index(entry.trigger for entry in self.snapshot.active)

    @cached_property
    def _ready(self) -> list[tuple[Entry, Condition]]:
        return [(entry, Condition.of(entry.trigger)) for entry in self.snapshot.active]

    def needs(self, source: Source) -> Any:
        """What a source reads for these triggers, retired ones included."""
        if source.name not in self._needs:
            triggers = [entry.trigger for entry in self.snapshot.entries.values()]
            self._needs[source.name] = source.needs(sources.triggers_of(source, triggers))
        return self._needs[source.name]

    def serving(self, source: Source) -> list[Entry]:
        """The active triggers of a source."""
        if source.name not in self._serving:
            self._serving[source.name] = list(sources.of_source(source, self.snapshot.active))
        return self._serving[source.name]

    @cached_property
    def by_name(self) -> list[tuple[str, Entry]]:
        """The active triggers with what orders them: their names, and their kinds where names are alike."""
        named = ((f"{entry.trigger.name}\n{entry.trigger.kind}", entry) for entry in self.snapshot.active)
        return sorted(named, key=lambda row: row[0])

    def concerned(self, event: Event) -> list[Entry]:
        """The active triggers for such an object."""
        return [entry for entry, _ in self._ready if event.concerns(entry.trigger.kind)]

    def nearest(self, event: Event, at_most: int) -> list[Entry]:
        """So many of the active triggers for such an object, of which the fewest clauses fail first, then by name."""
        counted = (
            (_missed(ready, event), entry.trigger.name, place)
            for place, (entry, ready) in enumerate(self._ready)
            if event.concerns(entry.trigger.kind)
        )
        return [self._ready[place][0] for _, _, place in nsmallest(at_most, counted)]


def _missed(condition: Condition, event: Event) -> int:
    missed = 0
    for holds, value in condition.clauses:
        if not holds(value, event):
            missed += 1
    return missed


_KNOWN: WeakKeyDictionary[Registry, Prepared] = WeakKeyDictionary()


def prepared(registry: Registry) -> Prepared:
    """The triggers as they are now; made anew when the registry has changed."""
    snapshot = registry.snapshot()
    known = _KNOWN.get(registry)
    if known is None or known.snapshot is not snapshot:
        known = _KNOWN[registry] = Prepared(snapshot)
    return known
