"""Events of tasks: scalars become last_metrics; the newest events are kept to be read back."""

from __future__ import annotations

from typing import Any

from .. import errors
from ..calls import Call, Json, endpoint
from .metrics import Metrics

TYPES = frozenset({"training_stats_scalar", "training_stats_vector", "training_debug_image", "plot", "log"})
#: events kept per task; the oldest are forgotten
EVENTS_KEPT = 10_000


@endpoint("events.add")
def add(call: Call) -> Json:
    """Take one event."""
    return _add(call, [call.body])


@endpoint("events.add_batch")
def add_batch(call: Call) -> Json:
    """Take events, one JSON object a line; what is refused does not stop the others.

    Raises:
        ApiError: 400/17 there are none, 400/131 all were refused.
    """
    events = call.body.get("lines")
    if events is None:
        events = call.body.get("requests") or ([call.body] if "type" in call.body else [])
    if not events:
        raise errors.empty_batch()
    return _add(call, events)


def _add(call: Call, events: list[Any]) -> Json:
    refused: dict[str, int] = {}
    taken: dict[tuple[bool, str], list[Json]] = {}
    for event in events:
        reason = _refusal(call, event)
        if reason:
            refused[reason] = refused.get(reason, 0) + 1
        else:
            taken.setdefault((bool(event.get("model_event")), event["task"]), []).append(event)
    if not taken:
        raise errors.events_refused(refused)
    for (of_model, key), batch in taken.items():
        _take(call, key, batch, of_model=of_model)
    added = sum(map(len, taken.values()))
    return {"added": added, "errors": sum(refused.values()), "errors_info": refused}


def _refusal(call: Call, event: Any) -> str:
    """Why an event is refused; empty if it is not."""
    if not isinstance(event, dict):
        return "Invalid event"
    if event.get("type") not in TYPES:
        return f"Invalid event type {event.get('type')}"
    key = event.get("task")
    if event.get("model_event"):
        return "" if call.state.models.get(key or "") else f"Invalid model id {key}"
    task = call.state.tasks.get(key) if isinstance(key, str) else None
    if task is None or (task["status"] == "published" and not event.get("allow_locked")):
        return f"Invalid task id {key}"
    return ""


def _take(call: Call, key: str, batch: list[Json], *, of_model: bool) -> None:
    """Store the events of one task or model and what they say about it."""
    store = call.state.models if of_model else call.state.tasks
    obj = store.begin(store.objects[key])
    kept = call.state.events.setdefault(key, [])
    kept += batch
    del kept[:-EVENTS_KEPT]
    Metrics(obj, call.now).add(batch)
    store.commit(obj, call.stamp, update=True)


def _kept(call: Call, kinds: tuple[str, ...]) -> list[Json]:
    return [event for event in call.state.events.get(call.get("task", ""), ()) if event["type"] in kinds]


@endpoint("events.get_task_events", "task!")
def get_task_events(call: Call) -> Json:
    """Events of a task, all in one answer."""
    kind = call.get("event_type")
    found = _kept(call, (kind,) if kind else tuple(TYPES))
    if call.get("scroll_id"):
        found = []
    return {"returned": len(found), "total": len(found), "scroll_id": "all", "events": found}


@endpoint("events.get_task_log", "task!")
def get_task_log(call: Call) -> Json:
    """Console lines of a task, the newest first unless asked otherwise."""
    found = _kept(call, ("log",))
    if call.get("order", "desc") == "desc" and call.get("navigate_earlier") is not False:
        found = found[::-1]
    size = int(call.get("batch_size", 500))
    found = [] if call.get("scroll_id") else found[:size]
    return {"events": found, "returned": len(found), "total": len(found), "scroll_id": "all"}


@endpoint("events.scalar_metrics_iter_histogram", "task!")
def scalar_metrics_iter_histogram(call: Call) -> Json:
    """Scalars of a task by metric and variant, every sample."""
    found: dict[str, dict[str, Json]] = {}
    for event in _kept(call, ("training_stats_scalar",)):
        metric, variant = event.get("metric", ""), event.get("variant", "")
        series = found.setdefault(metric, {}).setdefault(variant, {"name": variant, "x": [], "y": []})
        series["x"].append(event.get("iter", 0))
        series["y"].append(event.get("value"))
    return found


@endpoint("events.get_task_metrics", "tasks[]!")
def get_task_metrics(call: Call) -> Json:
    """Names of the metrics of tasks."""
    kind = call.get("event_type", "training_stats_scalar")
    found = []
    for key in call.body["tasks"]:
        events = [event for event in call.state.events.get(key, ()) if event["type"] == kind]
        found.append({"task": key, "metrics": sorted({event.get("metric", "") for event in events})})
    return {"metrics": found}


@endpoint("events.delete_for_task", "task!")
def delete_for_task(call: Call) -> Json:
    """Forget the events of a task; its last_metrics stay."""
    call.state.events.pop(call.body["task"], None)
    return {"deleted": True}
