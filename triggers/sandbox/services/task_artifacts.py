"""Artifacts and models of a task: add, replace, delete."""

from __future__ import annotations

from .. import errors
from ..calls import Call, Json, endpoint
from .common import task_of
from .task_status import EDITABLE, check_draft
from .values import artifacts


def _open_task(call: Call) -> Json:
    """The task of a request, if it has not ended: force changes nothing about that."""
    task = task_of(call)
    check_draft(task, force=True, editable=EDITABLE)
    return call.state.tasks.begin(task)


def _done(call: Call, task: Json) -> None:
    task["last_changed_by"] = call.state.user
    call.state.tasks.commit(task, call.stamp, update=True)


@endpoint("tasks.add_or_update_artifacts", "task! artifacts[]!")
def add_or_update_artifacts(call: Call) -> Json:
    """Add artifacts, or replace those of the same key and mode."""
    task = _open_task(call)
    known = {(item["key"], item["mode"]): item for item in task["execution"]["artifacts"]}
    for item in artifacts(call.body["artifacts"]):
        known[item["key"], item["mode"]] = item
    task["execution"] = {**task["execution"], "artifacts": artifacts(list(known.values()))}
    _done(call, task)
    return {"updated": 1}


@endpoint("tasks.delete_artifacts", "task! artifacts[]!")
def delete_artifacts(call: Call) -> Json:
    """Delete artifacts; missing ones are not an error."""
    task = _open_task(call)
    gone = {(item["key"], item.get("mode") or "output") for item in call.body["artifacts"]}
    kept = [item for item in task["execution"]["artifacts"] if (item["key"], item["mode"]) not in gone]
    task["execution"] = {**task["execution"], "artifacts": kept}
    _done(call, task)
    return {"deleted": 1}


@endpoint("tasks.add_or_update_model", "task! name! model! type!")
def add_or_update_model(call: Call) -> Json:
    """Attach a model under a name, as input or output; whether the model exists is not checked."""
    if call.body["type"] not in ("input", "output"):
        raise errors.invalid_request(f"error for field 'type': value '{call.body['type']}' is not a valid choice..")
    task, body = _open_task(call), call.body
    item = {"name": body["name"], "model": body["model"], "updated": call.stamp}
    side = body["type"]
    kept = [known for known in task["models"][side] if known["name"] != body["name"]]
    task["models"] = {**task["models"], side: [*kept, item]}
    iteration = call.get("iteration")
    if isinstance(iteration, int):
        task["last_iteration"] = max(task["last_iteration"], iteration)
    _done(call, task)
    return {"updated": 1}


@endpoint("tasks.delete_models", "task! models[]!")
def delete_models(call: Call) -> Json:
    """Detach models by name and side."""
    task = _open_task(call)
    gone = {(item["name"], item["type"]) for item in call.body["models"]}
    task["models"] = {
        side: [item for item in items if (item["name"], side) not in gone] for side, items in task["models"].items()
    }
    _done(call, task)
    return {"updated": 1}
