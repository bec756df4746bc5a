"""The table of clauses: each part of a condition, named as the argument it comes from.

It says when a part applies, whether it holds, and in words what was wanted and what was found.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final

from triggers.model import Trigger, patterns
from triggers.model.events import Event, Kind, Metric, dataset_project

ARCHIVED: Final = "archived"
DEVELOPMENT: Final = "development"
#: Statuses of a dataset version that is finalised; the second when it was published before the next poll.
FINALISED: Final = ("completed", "published")

_SHOWN: Final = 200


@dataclass(frozen=True, slots=True)
class Rule:
    """A row of the table. `wanted` is only asked, and `holds` only evaluated, when `applies`."""

    name: str
    applies: Callable[[Any], bool]
    holds: Callable[[Any, Event], bool]
    wanted: Callable[[Any], str]
    found: Callable[[Any, Event], str]


def project_of(kind: Kind, event: Event) -> str:
    """Give the project that `trigger_project` is compared with: for datasets without the hidden part."""
    return dataset_project(event.project) if kind == "dataset" else event.project


def _in_project(trigger: Trigger, event: Event) -> bool:
    # Several ways to name it only meet in what the original wrote; then all have to hold.
    return (trigger.trigger_project is None or project_of(trigger.kind, event) == trigger.trigger_project) and (
        trigger.project_id is None or event.project_id == trigger.project_id
    )


def _metric(trigger: Any, event: Event) -> Metric | None:
    return event.metrics.get(trigger.metric)


def _measured(trigger: Any, event: Event) -> float | None:
    metric = _metric(trigger, event)
    if metric is None:
        return None
    return {"max": metric.max_value, "min": metric.min_value, "last": metric.value}[trigger.sign]


def _beyond_threshold(trigger: Any, event: Event) -> bool:
    # Bounds are inclusive. A metric that does not exist satisfies nothing, and no comparison with NaN holds.
    value = _measured(trigger, event)
    if value is None:
        return False
    if trigger.direction == "above":
        return bool(value >= trigger.trigger_on_threshold)
    return bool(value <= trigger.trigger_on_threshold)


def _threshold_wanted(trigger: Any) -> str:
    word = {"max": "maximum", "min": "minimum", "last": "latest value"}[trigger.sign]
    sign = ">=" if trigger.direction == "above" else "<="
    metric = f"{trigger.trigger_on_metric}/{trigger.trigger_on_variant}"
    return f"{word} of {_short(metric)} {sign} {trigger.trigger_on_threshold:g}"


def _threshold_found(trigger: Any, event: Event) -> str:
    if _metric(trigger, event) is None:
        return "no such metric"
    value = _measured(trigger, event)
    return "no value" if value is None else f"{value:g}"


def _name_matches(trigger: Trigger, event: Event) -> bool:
    try:
        return patterns.found_in(trigger.trigger_name or "", event.name)
    except patterns.TooSlow:
        return False


def _name_found(trigger: Trigger, event: Event) -> str:
    try:
        patterns.found_in(trigger.trigger_name or "", event.name)
    except patterns.TooSlow:
        return f"{_short(event.name)}; the expression takes too long on it, which counts as no match"
    return _short(event.name) or "no name"


def _short(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}... ({len(text)} characters)"


def _listed(words: Iterable[str], nothing: str = "none") -> str:
    return _short(", ".join(words)) or nothing


def _tags(_trigger: Trigger, event: Event) -> str:
    return _listed(event.tags, "no tags")


def _status(_trigger: Trigger, event: Event) -> str:
    return event.status or "no status"


def _archived(_trigger: Trigger, event: Event) -> str:
    return "archived" if ARCHIVED in event.system_tags else "not archived"


_PUBLISHED_MODEL: Final = Rule(
    "trigger_on_publish",
    lambda trigger: trigger.trigger_on_publish,
    lambda _, event: event.ready,
    lambda _: "published",
    lambda _, event: "published" if event.ready else "not published",
)
_PUBLISHED_TASK: Final = Rule(
    "trigger_on_publish",
    lambda trigger: trigger.trigger_on_publish,
    lambda _, event: event.status == "published",
    lambda _: "published",
    _status,
)
# A dataset version still being made is none to work on; so unless a trigger waits for its publishing or
# archiving, it waits for its end, also with trigger_on_tags. (The original asks for "completed" and misses
# what is published before its next poll.)
_FINALISED: Final = Rule(
    "finalised",
    lambda trigger: not (trigger.trigger_on_publish or trigger.trigger_on_archive),
    lambda _, event: event.status in FINALISED,
    lambda _: "a finalised version: completed or published",
    _status,
)
_STATUS: Final = Rule(
    "trigger_on_status",
    lambda trigger: trigger.trigger_on_status,
    lambda trigger, event: event.status in trigger.trigger_on_status,
    lambda trigger: "status " + " or ".join(trigger.trigger_on_status),
    _status,
)
_NOT_DEVELOPMENT: Final = Rule(
    "trigger_exclude_dev_tasks",
    lambda trigger: trigger.trigger_exclude_dev_tasks,
    lambda _, event: DEVELOPMENT not in event.system_tags,
    lambda _: "run by an agent",
    lambda _, event: "run by hand" if DEVELOPMENT in event.system_tags else "run by an agent",
)
_THRESHOLD: Final = Rule(
    "trigger_on_threshold",
    lambda trigger: trigger.metric is not None,
    _beyond_threshold,
    _threshold_wanted,
    _threshold_found,
)
_KIND: Final = Rule(
    "kind",
    lambda _: True,
    lambda trigger, event: event.concerns(trigger.kind),
    lambda trigger: f"a {trigger.kind}",
    lambda _, event: f"a {event.kind}",
)
_COMMON: Final = (
    Rule(
        "trigger_project",
        lambda trigger: trigger.trigger_project is not None or trigger.project_id is not None,
        _in_project,
        lambda trigger: f"project {_short(trigger.trigger_project or trigger.project_id)}",
        lambda trigger, event: _short(project_of(trigger.kind, event) or event.project_id) or "no project",
    ),
    Rule(
        "trigger_on_archive",
        lambda trigger: trigger.trigger_on_archive,
        lambda _, event: ARCHIVED in event.system_tags,
        lambda _: "archived",
        _archived,
    ),
    Rule(
        "trigger_on_tags",
        lambda trigger: trigger.trigger_on_tags,
        lambda trigger, event: all(tag in event.tags for tag in trigger.trigger_on_tags),
        lambda trigger: f"all of the tags {_listed(trigger.trigger_on_tags)}",
        _tags,
    ),
    Rule(
        "trigger_required_tags",
        lambda trigger: trigger.trigger_required_tags,
        lambda trigger, event: all(tag in event.tags for tag in trigger.trigger_required_tags),
        lambda trigger: f"all of the tags {_listed(trigger.trigger_required_tags)}",
        _tags,
    ),
    Rule(
        "trigger_on_any_tags",
        lambda trigger: trigger.trigger_on_any_tags,
        lambda trigger, event: any(tag in event.tags for tag in trigger.trigger_on_any_tags),
        lambda trigger: f"any of the tags {_listed(trigger.trigger_on_any_tags)}",
        _tags,
    ),
    Rule(
        "trigger_exclude_tags",
        lambda trigger: trigger.trigger_exclude_tags,
        lambda trigger, event: not any(tag in event.tags for tag in trigger.trigger_exclude_tags),
        lambda trigger: f"none of the tags {_listed(trigger.trigger_exclude_tags)}",
        _tags,
    ),
    Rule(
        "trigger_name",
        lambda trigger: trigger.trigger_name is not None,
        _name_matches,
        lambda trigger: f"a name in which {_short(trigger.trigger_name)!r} is found",
        _name_found,
    ),
)

# The parts of a condition are all required, as in the original's query: a trigger on publishing and
# on archiving fires for an object that is both. Cheap clauses come first, the regular expression last.
RULES: Final[dict[Kind, tuple[Rule, ...]]] = {
    "model": (_KIND, _PUBLISHED_MODEL, *_COMMON),
    "dataset": (_KIND, _FINALISED, _PUBLISHED_TASK, *_COMMON),
    "task": (_KIND, _STATUS, _PUBLISHED_TASK, _NOT_DEVELOPMENT, _THRESHOLD, *_COMMON),
}
