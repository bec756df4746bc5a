"""Matching alone, on one core: ten thousand mixed triggers, ten thousand events."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from typing import Any

from tests.benchmarks.result import Bound, Result
from triggers.model import Trigger, make_trigger
from triggers.model.events import Event, Metric, metric_key
from triggers.rules.conditions import Condition
from triggers.rules.index import Index

TRIGGERS = EVENTS = 10_000
#: Triggers that no tag, project, name or status sets apart, whatever their number: each event meets them all.
BROAD = 10
#: Triggers that share a project; so every event concerns equally few of them, however many there are.
PER_PROJECT = 10
BOUND, FLAT = Bound(most=2), Bound(most=2, of="ratio")


def measure(runs: int) -> list[Result]:
    """Process time of finding all matches, the index made before; and per event beside a tenth of the triggers."""
    all_, few = made(TRIGGERS), made(TRIGGERS // 10)
    events, fewer = changes(TRIGGERS), changes(TRIGGERS // 10)
    whole, large, small, counts = [], [], [], set[int]()
    for _ in range(runs):
        small.append(seconds(few, fewer)[0] / EVENTS * 1e6)
        took, found = seconds(all_, events)
        whole.append(took)
        large.append(took / EVENTS * 1e6)
        counts.add(found)
    note = f"{counts.pop():,} matches; made ready in {preparing(all_):.2f} s"
    beside = "1,000 triggers"
    return [
        Result("matching 10,000 mixed triggers x 10,000 events, one core", "s", tuple(whole), bound=BOUND, note=note),
        Result("matching one event, ten times the triggers", "µs", tuple(large), tuple(small), FLAT, beside=beside),
    ]


def seconds(triggers: Sequence[Trigger], events: Sequence[Event]) -> tuple[float, int]:
    """Process time of matching, and how many matches there are."""
    index, conditions = Index(triggers), {trigger.id: Condition.of(trigger) for trigger in triggers}
    began = time.process_time()
    found = sum(conditions[trigger.id].matches(event) for event in events for trigger in index.candidates(event))
    return time.process_time() - began, found


def preparing(triggers: Sequence[Trigger]) -> float:
    """Process time of what is done once for each version of the registry."""
    began = time.process_time()
    Index(triggers)
    for trigger in triggers:
        Condition.of(trigger)
    return time.process_time() - began


def made(number: int) -> list[Trigger]:
    """Triggers as people write them: most within a project, on a status, a tag, a name or a metric."""
    action = {"type": "task", "base_task_id": "b", "queue": "q"}
    return [make_trigger(name=f"t{n}", action=action, **_condition(n)) for n in range(number)]


def _condition(n: int) -> dict[str, Any]:
    project = f"team {n // PER_PROJECT}/project"
    if n < BROAD:
        return {"kind": "task", "trigger_name": rf"(?i)alarm.*{n}$"}
    metric = {"trigger_on_metric": "loss", "trigger_on_variant": "val", "trigger_on_threshold": 0.1}
    kinds: list[dict[str, Any]] = [
        {"kind": "task", "trigger_project": project, "trigger_on_status": ["failed"]},
        {"kind": "task", "trigger_project": project, "trigger_on_status": ["completed"], "trigger_name": "^train"},
        {"kind": "task", "trigger_project": project, "trigger_on_tags": ["evaluate"]},
        {"kind": "task", "trigger_project": project, **metric},
        {"kind": "task", "trigger_on_tags": [f"tag {n}"]},
        {"kind": "task", "trigger_on_any_tags": [f"tag {n}", f"label {n}"], "trigger_exclude_dev_tasks": True},
        {"kind": "model", "trigger_project": project, "trigger_on_publish": True},
        {"kind": "model", "trigger_project": project, "trigger_name": r"net-\d+$", "trigger_on_tags": ["best"]},
        {"kind": "dataset", "trigger_project": project},
        {"kind": "task", "trigger_name": f"^nightly {n}$"},
    ]
    return kinds[n % len(kinds)]


def changes(triggers: int) -> list[Event]:
    """Events spread over the projects, tags and names that so many triggers ask for."""
    chance, found = random.Random(1), []
    loss = metric_key("loss", "val")
    for n in range(EVENTS):
        number = chance.randrange(triggers)
        project, kind = (
            f"team {number // PER_PROJECT}/project",
            chance.choices(["task", "model", "dataset"], [8, 1, 1])[0],
        )
        name = chance.choice(["train 7", "net-18", "run", f"nightly {number}"])
        tags = tuple(chance.sample(["evaluate", "best", f"tag {number}", f"label {number}", "other"], 2))
        values: dict[str, Any] = {"name": name, "tags": tags, "project": project}
        if kind == "model":
            values |= {"ready": chance.random() < 0.5}
        else:
            values |= {"status": chance.choice(["in_progress", "failed", "completed", "queued"]), "type": "training"}
        if kind == "task":
            values |= {"metrics": {loss: Metric(0.2, chance.random(), 1.0)}}
        if kind == "dataset":
            values |= {"project": f"{project}/.datasets/digits", "system_tags": ("dataset",)}
        found.append(Event(kind=kind, id=f"{n:032x}", changed_ms=1_790_000_000_000 + n, **values))  # type: ignore[arg-type]
    return found
