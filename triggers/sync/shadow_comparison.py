"""Shadow mode's report: where the launches of the original differ from what would have been launched here, and why.

The original leaves no mark on what it launches. Its launches are known by parent and tag, and the object by
the parameter that carries its id; where no parameter does, launches are counted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from triggers.clearml_api import Api
from triggers.clearml_api.paging import pages
from triggers.model import Trigger
from triggers.model.events import iso_time, milliseconds
from triggers.model.launch_tags import is_launch_tag

#: What is left to wait before the original, which polls every three minutes, counts as having missed a change.
PACE_MS: Final = 180_000
_FAR_FUTURE: Final = "2200-01-01T00:00:00"
_PAGE: Final = 500

Side = Literal["only here", "only the original"]


@dataclass(frozen=True, slots=True)
class ObservedLaunch:
    """A launch, or what would have been one. `object`: "" where it is not known; `task`: id of the ClearML task."""

    trigger: str
    object: str
    at_ms: int
    task: str = ""


@dataclass(frozen=True, slots=True)
class Difference:
    """One launch that the other side does not have; `row`: of docs/differences.md, "" when none explains it."""

    trigger: str
    object: str
    side: Side
    row: str

    def __str__(self) -> str:
        why = f"docs/differences.md, {self.row}" if self.row else "no documented difference explains it"
        return f"{self.trigger}: {self.object or 'an object'}: {self.side} ({why})"


_FIELDS: Final = ("id", "parent", "tags", "system_tags", "hyperparams", "created")


def read_theirs(api: Api, triggers: Iterable[Trigger], since_ms: int) -> list[ObservedLaunch]:
    """Read what the original launched since then, oldest first; one request for each 500 of its launches."""
    launching = [trigger for trigger in triggers if trigger.action.base_task]
    bases = {trigger.action.base_task for trigger in launching}
    if not bases:
        return []
    query: dict[str, Any] = {"parent": sorted(bases), "created": [iso_time(since_ms), _FAR_FUTURE]}
    query |= {"order_by": ["created"], "search_hidden": True, "only_fields": list(_FIELDS)}
    found = [
        task
        for page in pages(api, "tasks.get_all", "tasks", query, _PAGE)
        for task in page
        if not any(map(is_launch_tag, task.get("system_tags") or ()))
    ]
    return [launch for task in found if (launch := _recognise(task, launching))]


def _recognise(task: Mapping[str, Any], triggers: Iterable[Trigger]) -> ObservedLaunch | None:
    """Whose launch it is: the trigger with its parent and tag."""
    for trigger in triggers:
        object_id = trigger.action.launch_of_original(trigger.kind, task)
        if object_id is not None:
            return ObservedLaunch(trigger.id, object_id, milliseconds(str(task["created"])), str(task["id"]))
    return None


def compare(
    ours: Sequence[ObservedLaunch],
    theirs: Sequence[ObservedLaunch],
    triggers: Mapping[str, Trigger],
    *,
    skipped: set[tuple[str, str]],
    now_ms: int,
) -> list[Difference]:
    """List each launch that only one side has.

    Args:
        ours: what would have been launched here.
        theirs: what the original launched.
        triggers: by id.
        skipped: (trigger, object) that were skipped here on purpose.
        now_ms: the server's time.
    """
    differences = []
    for id_, trigger in triggers.items():
        here = [launch for launch in ours if launch.trigger == id_]
        there = [launch for launch in theirs if launch.trigger == id_]
        known = any(launch.object for launch in there)
        mine = Counter(launch.object if known or not there else "" for launch in here)
        other = Counter(launch.object if known else "" for launch in there)
        late = {launch.object if known or not there else "" for launch in here if now_ms - launch.at_ms < PACE_MS}
        for object_id in (mine - other).elements():
            row = "pooling_frequency_minutes" if object_id in late else _row_here(trigger, len(here))
            differences.append(Difference(id_, object_id, "only here", row))
        launched = {launch.task for launch in there}
        for object_id in (other - mine).elements():
            row = _row_there(trigger, object_id, launched, (id_, object_id) in skipped)
            differences.append(Difference(id_, object_id, "only the original", row))
    return differences


def _row_here(trigger: Trigger, launches: int) -> str:
    """Why the original has not launched: the first row that concerns such a trigger."""
    dataset, publish, archive = trigger.kind == "dataset", trigger.trigger_on_publish, trigger.trigger_on_archive
    rows = {
        "single-instance": trigger.policy.single_instance,
        "fire": trigger.policy.fire != "once",
        "archive": dataset and archive,
        "dataset-finalized": dataset and not publish,
        "dataset-project": dataset and bool(trigger.trigger_project),
        "project-renamed": bool(trigger.trigger_project),
        "more-than-500": launches > _PAGE,
    }
    return next((row for row, concerns in rows.items() if concerns), "")


def _row_there(trigger: Trigger, object_id: str, launched: set[str], skipped: bool) -> str:
    """Why only the original has launched."""
    threshold = getattr(trigger, "trigger_on_threshold", None)
    rows = {
        "self-launch": object_id in launched,
        "single-instance": skipped,
        "tags": len({*trigger.trigger_on_tags, *trigger.trigger_required_tags}) > 1,
        "threshold-zero": threshold == 0,
        "metric-missing": threshold is not None and getattr(trigger, "sign", "") == "min",
        "archive": trigger.kind == "dataset" and trigger.trigger_on_archive,
        "dataset-project": trigger.kind == "dataset" and bool(trigger.trigger_project),
        "project-missing": bool(trigger.trigger_project),
    }
    return next((row for row, concerns in rows.items() if concerns), "")
