"""Reset and delete: drafts go without force, what was published only with it."""

from __future__ import annotations

from .. import errors
from ..calls import Call, Json, endpoint, many
from .common import deleted_id, task_of
from .queue_entries import leave_queue
from .task_status import done, step
from .tasks import EXECUTION, SCRIPT

#: fields that a reset takes from a task
_CLEARED = ("started", "completed", "published", "active_duration", "enqueue_status")
_MANY_FIELDS = "ids[]! status_reason status_message"


@endpoint("tasks.reset", "task! status_reason status_message")
def reset(call: Call) -> Json:
    """Make a task a draft again."""
    return reset_task(call, task_of(call))


@endpoint("tasks.reset_many", _MANY_FIELDS)
def reset_many(call: Call) -> Json:
    """Make several tasks drafts again."""

    def one(key: str) -> Json:
        result = reset_task(call, task_of(call, key))
        return {"reset": True, **result, "dequeued": bool(result["dequeued"])}

    return many(call, "ids", one)


def reset_task(call: Call, task: Json) -> Json:
    """Keeps what describes the work, clears what came of it; models stay but are no longer the task's.

    Raises:
        ApiError: 400/110 published, 400/123 published output models; neither with force.
    """
    force = bool(call.get("force"))
    if task["status"] == "published" and not force:
        raise errors.invalid_status(task_id=task["id"], status="published")
    _check_models(call, task, force=force)
    left = leave_queue(call, task)
    fields = step(call, task, "created")
    for field in ("status_reason", "status_message"):
        fields[field] = task[field] = call.get(field, "reset")
    for field in _CLEARED:
        task.pop(field, None)
    _detach_models(call, task)
    kept = [item for item in task["execution"]["artifacts"] if item["mode"] == "input"]
    execution = {**(EXECUTION if call.get("clear_all") else task["execution"]), "artifacts": kept}
    task.update(last_metrics={}, metric_stats={}, last_iteration=0, runtime={}, execution=execution)
    task["models"] = {**task["models"], "output": []}
    task["output"] = {key: value for key, value in task["output"].items() if key == "destination"}
    if call.get("clear_all"):
        task["script"] = dict(SCRIPT)
    call.state.events.pop(task["id"], None)
    done(call, task)
    dequeued = {"removed": left} if left else {}
    result = {"deleted_models": 0, "dequeued": dequeued, "events": {}, "fields": fields, "updated": 1}
    return {**result, "urls": {}}


def _models(call: Call, task: Json) -> list[Json]:
    return list(call.state.models.with_value("task", [task["id"]]))


def _check_models(call: Call, task: Json, *, force: bool) -> None:
    published = [model for model in _models(call, task) if model["ready"]]
    if published and not force:
        reason = "has output models, use force=True"
        raise errors.task_not_deletable(reason, task=task["id"], models=len(published))


def _detach_models(call: Call, task: Json) -> int:
    """The models that a task made stay, without it; returns how many they are."""
    models = _models(call, task)
    for model in models:
        call.state.models.begin(model).pop("task", None)
        call.state.models.commit(model)
    return len(models)


@endpoint("tasks.delete", "task! status_reason status_message")
def delete(call: Call) -> Json:
    """Delete a draft; with `force` any task."""
    return delete_task(call, task_of(call))


@endpoint("tasks.delete_many", _MANY_FIELDS)
def delete_many(call: Call) -> Json:
    """Delete several tasks."""
    return many(call, "ids", lambda key: delete_task(call, task_of(call, key)))


def delete_task(call: Call, task: Json) -> Json:
    """Of a delete without force and an enqueue of one draft exactly one wins.

    Raises:
        ApiError: 400/123 no draft or published output models; neither with force.
    """
    force = bool(call.get("force"))
    if task["status"] != "created" and not force:
        reason = "due to status, use force=True"
        status = task["status"]
        raise errors.task_not_deletable(reason, task=task["id"], expected="created", current=status)
    _check_models(call, task, force=force)
    deleted = _delete_drafts(call, task) if call.get("delete_output_models", True) else 0
    updated = _detach_models(call, task)
    for queue in call.state.queues.values():
        queue["entries"] = [entry for entry in queue["entries"] if entry["task"] != task["id"]]
    children = list(call.state.tasks.with_value("parent", [task["id"]]))
    for child in children:
        call.state.tasks.begin(child)["parent"] = deleted_id(task["id"])
        call.state.tasks.commit(child)
    call.state.events.pop(task["id"], None)
    call.state.tasks.remove(task)
    kinds = ("model_urls", "event_urls", "artifact_urls")
    urls: Json | None = {kind: [] for kind in kinds} if call.get("return_file_urls") else None
    counts = {"updated_children": len(children), "updated_models": updated, "deleted_models": deleted}
    return {"deleted": True, **counts, "urls": urls}


def _delete_drafts(call: Call, task: Json) -> int:
    """Output models that are neither published nor the input of another task go with it."""
    drafts = [model for model in _models(call, task) if not model["ready"]]
    if drafts:
        others = call.state.tasks.objects.values()
        used = {item["model"] for other in others for item in other["models"]["input"]}
        drafts = [model for model in drafts if model["id"] not in used]
    for model in drafts:
        call.state.models.remove(model)
    return len(drafts)
