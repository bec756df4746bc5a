"""Making and reading tasks."""

from __future__ import annotations

from typing import Any

from .. import errors
from ..calls import Call, Json, endpoint, new_id
from ..filters.kinds import TASKS
from .common import stored_name, tag_list
from .lists import list_stored
from .values import artifacts, hidden_dots, section

TYPES = frozenset(
    {"testing", "inference", "training", "data_processing", "application", "monitor", "controller"}
    | {"optimizer", "service", "qc", "custom", "annotation_manual", "annotation", "dataset_import"}
    | {"report", "dataset"}
)
#: what a task's execution is before anything is set
EXECUTION: Json = {"test_split": 0, "parameters": {}, "model_desc": {}, "model_labels": {}}
#: what a task's script is before anything is set
SCRIPT: Json = {"binary": "python", "repository": "", "entry_point": "", "requirements": {}}


@endpoint("tasks.create", "name! type!")
def create(call: Call) -> Json:
    """Make a draft."""
    body = call.body
    check_type(body["type"])
    values = given_values(call, body)
    task = new_task(call, stored_name(body["name"]), body["type"], values)
    call.state.tasks.add(task)
    return {"id": task["id"]}


def new_task(call: Call, name: str, kind: str, values: Json) -> Json:
    """A draft with everything that every task has."""
    user = call.state.user
    task: Json = {"id": new_id(), "company": call.state.company, "user": user, "name": name, "type": kind}
    task |= {"status": "created", "report_assets": [], "created": call.stamp, "output": {}, "tags": []}
    task |= {"execution": {**EXECUTION, "artifacts": []}, "system_tags": [], "script": dict(SCRIPT)}
    task |= {"last_update": call.stamp, "last_change": call.stamp, "last_iteration": 0, "last_metrics": {}}
    task |= {"metric_stats": {}, "hyperparams": {}, "configuration": {}, "runtime": {}, "container": {}}
    task |= {"models": {"input": [], "output": []}, "last_changed_by": user}
    for field, value in values.items():
        task[field] = {**task[field], **value} if field in ("execution", "script") else value
    return task


def given_values(call: Call, body: Json) -> Json:
    """The fields of a create or edit request as they are stored; partial ones are not merged yet.

    Raises:
        ApiError: 400/16 project or parent do not exist, 400/800 tags are not a list.
    """
    values: Json = {}
    for field in ("tags", "system_tags"):
        if body.get(field) is not None:
            values[field] = tag_list(body[field], field)
    for field in ("comment", "report", "container", "models", "type", "status"):
        if body.get(field) is not None:
            values[field] = body[field]
    _references(call, body, values)
    if body.get("execution") is not None:
        values["execution"] = dict(body["execution"])
        if "artifacts" in values["execution"]:
            values["execution"]["artifacts"] = artifacts(values["execution"]["artifacts"] or [])
    for field in ("hyperparams", "configuration"):
        if body.get(field) is not None:
            values[field] = section(body[field])
    if body.get("script") is not None:
        values["script"] = dict(body["script"])
    if body.get("output_dest") is not None:
        values["output"] = {"destination": body["output_dest"]}
    if body.get("runtime") is not None:
        values["runtime"] = hidden_dots(body["runtime"])
    return values


def _references(call: Call, body: Json, values: Json) -> None:
    known: dict[str, tuple[str, Any]] = {
        "project": ("Project", call.state.projects),
        "parent": ("Task", call.state.tasks.objects),
    }
    for field, (kind, objects) in known.items():
        key = body.get(field)
        if key:
            if key not in objects:
                raise errors.bad_value(f"expecting {kind} id", id=key, field=field)
            values[field] = key


def check_type(kind: Any) -> None:
    """Refuse a type that tasks do not have."""
    if kind not in TYPES:
        raise errors.invalid_request(f"error for field 'type': value '{kind}' is not a valid choice..")


@endpoint("tasks.get_by_id", "task!")
def get_by_id(call: Call) -> Json:
    """One task with all its fields."""
    task = call.state.tasks.get(call.body["task"])
    if task is None:
        raise errors.invalid_task(ids=f"({call.body['task']})")
    shown = {**task, "unique_metrics": []}
    shown.pop("enqueue_status", None)
    return {"task": shown}


@endpoint("tasks.get_all")
def get_all(call: Call) -> Json:
    """Tasks that pass the filters, ids of other objects as they are."""
    return list_stored(call, TASKS, call.state.tasks)


@endpoint("tasks.get_all_ex")
def get_all_ex(call: Call) -> Json:
    """Tasks that pass the filters, with scrolls and with fields of the project."""
    return list_stored(call, TASKS, call.state.tasks, extended=True)


@endpoint("tasks.get_types")
def get_types(call: Call) -> Json:
    """Types of the tasks there are."""
    projects = call.get("projects", [])
    tasks = call.state.tasks.objects.values()
    return {"types": sorted({task["type"] for task in tasks if not projects or task.get("project") in projects})}


@endpoint("tasks.validate", "name! type!")
def validate(call: Call) -> Json:
    """Check a task without making it."""
    check_type(call.body["type"])
    stored_name(call.body["name"])
    given_values(call, call.body)
    return {}
