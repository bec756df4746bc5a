"""Index: which triggers can an event concern at all; finds few among thousands by a handful of look-ups."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from typing import Final

from triggers.model import TaskTrigger, Trigger, patterns
from triggers.model.events import Event, Kind
from triggers.rules.clauses import ARCHIVED, FINALISED, project_of

Feature = tuple[str, str]  # of an event, such as ("tag", "production")

#: Parts of an object by how much they tell it apart; a tie in the number of triggers goes to the first.
_BY_WORTH: Final = ("name", "project", "project_id", "metric", "tag", "archived", "published", "status")


class Index:
    """Triggers in buckets, each in that of its rarest requirement.

    A trigger that needs a tag, a project or a status is only looked at for events that have it. Where any one
    of several features will do (statuses, `trigger_on_any_tags`), it lies in the bucket of each.
    """

    def __init__(self, triggers: Iterable[Trigger]) -> None:
        self.triggers: tuple[Trigger, ...] = tuple(triggers)
        self._buckets: dict[Kind, dict[Feature, list[int]]] = {
            "model": defaultdict(list),
            "dataset": defaultdict(list),
            "task": defaultdict(list),
        }
        self._anything: dict[Kind, list[int]] = {"model": [], "dataset": [], "task": []}
        all_demands = [demands(trigger) for trigger in self.triggers]
        crowd = Counter((t.kind, f) for t, ds in zip(self.triggers, all_demands, strict=True) for d in ds for f in d)
        for position, (trigger, alternatives) in enumerate(zip(self.triggers, all_demands, strict=True)):
            kind = trigger.kind
            if not alternatives:
                self._anything[kind].append(position)
                continue
            rarest = min(alternatives, key=lambda d: (sum(crowd[kind, f] for f in d), _BY_WORTH.index(d[0][0])))
            for feature in rarest:
                self._buckets[kind][feature].append(position)

    def candidates(self, event: Event) -> Iterator[Trigger]:
        """Give every trigger that the event may satisfy, each once, in the order of registration."""
        found: set[int] = set()
        for kind in _KINDS[event.kind]:
            found.update(self._anything[kind])
            buckets = self._buckets[kind]
            for feature in _features(kind, event):
                bucket = buckets.get(feature)
                if bucket:
                    found.update(bucket)
        for position in sorted(found):
            yield self.triggers[position]


#: The kinds of trigger that an event of a kind concerns.
_KINDS: Final[dict[Kind, tuple[Kind, ...]]] = {
    "model": ("model",),
    "dataset": ("dataset", "task"),
    "task": ("task",),
}


def _features(kind: Kind, event: Event) -> Iterator[Feature]:
    yield "name", event.name
    if event.name.endswith("\n"):  # `$` stands before a last line break as well
        yield "name", event.name[:-1]
    yield "project", project_of(kind, event)
    yield "project_id", event.project_id
    yield "status", event.status
    for tag in dict.fromkeys(event.tags):
        yield "tag", tag
    for key in event.metrics:
        yield "metric", key
    if ARCHIVED in event.system_tags:
        yield "archived", ""
    if event.ready:
        yield "published", ""


def demands(trigger: Trigger) -> list[tuple[Feature, ...]]:
    """List what an event must have for the trigger; of each entry any one feature will do."""
    found: list[tuple[Feature, ...]] = [
        (("tag", tag),) for tag in (*trigger.trigger_on_tags, *trigger.trigger_required_tags)
    ]
    if trigger.trigger_project is not None:
        found.append((("project", trigger.trigger_project),))
    if trigger.project_id is not None:
        found.append((("project_id", trigger.project_id),))
    exact = patterns.exact_text(trigger.trigger_name) if trigger.trigger_name else None
    if exact is not None:
        found.append((("name", exact),))
    if trigger.trigger_on_any_tags:
        found.append(tuple(("tag", tag) for tag in trigger.trigger_on_any_tags))
    if trigger.trigger_on_archive:
        found.append((("archived", ""),))
    found.extend(_demands_on_status(trigger))
    return found


def _demands_on_status(trigger: Trigger) -> Iterator[tuple[Feature, ...]]:
    if trigger.kind == "model":
        if trigger.trigger_on_publish:
            yield (("published", ""),)
        return
    if trigger.trigger_on_publish:
        yield (("status", "published"),)
    elif trigger.kind == "dataset" and not trigger.trigger_on_archive:
        yield tuple(("status", status) for status in FINALISED)
    if isinstance(trigger, TaskTrigger):
        if trigger.trigger_on_status:
            yield tuple(("status", status) for status in trigger.trigger_on_status)
        if trigger.metric:
            yield (("metric", trigger.metric),)
