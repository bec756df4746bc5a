"""Index: which triggers can an event concern at all; finds few among thousands by a handful of look-ups."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from typing import Final

from triggers.model import Trigger
from triggers.model.clauses import FEATURES
from triggers.model.events import Event
from triggers.model.kinds import KINDS, Kind, concerned
from triggers.rules.conditions import needs

_WORTH: Final = {name: place for place, name in enumerate(FEATURES)}


class Index:
    """Triggers in buckets, each in that of its rarest requirement.

    A trigger that needs a tag, a project or a status is only looked at for events that have it. Where any one
    of several values will do (statuses, `trigger_on_any_tags`), it lies in the bucket of each.
    """

    def __init__(self, triggers: Iterable[Trigger]) -> None:
        self.triggers: tuple[Trigger, ...] = tuple(triggers)
        self._buckets: dict[Kind, dict[str, dict[str, list[int]]]] = {kind: {} for kind in KINDS}
        self._anything: dict[Kind, list[int]] = {kind: [] for kind in KINDS}
        demands = [needs(trigger) for trigger in self.triggers]
        crowd = Counter(
            (trigger.kind, feature, value)
            for trigger, of_trigger in zip(self.triggers, demands, strict=True)
            for feature, values in of_trigger
            for value in values
        )
        for position, (trigger, of_trigger) in enumerate(zip(self.triggers, demands, strict=True)):
            kind = trigger.kind
            if not of_trigger:
                self._anything[kind].append(position)
                continue
            feature, values = min(
                of_trigger,
                key=lambda need: (sum(crowd[kind, need[0], value] for value in need[1]), _WORTH[need[0]]),
            )
            for value in values:
                self._buckets[kind].setdefault(feature, defaultdict(list))[value].append(position)

    def candidates(self, event: Event) -> Iterator[Trigger]:
        """Give every trigger that the event may satisfy, each once, in the order of registration."""
        found: set[int] = set()
        for kind in concerned(event.kind):
            found.update(self._anything[kind])
            for feature, buckets in self._buckets[kind].items():
                for value in FEATURES[feature].of(kind, event):
                    bucket = buckets.get(value)
                    if bucket:
                        found.update(bucket)
        for position in sorted(found):
            yield self.triggers[position]
