"""Making, reading and publishing models."""

from __future__ import annotations

from typing import Any

from .. import errors
from ..calls import Call, Json, endpoint, many, new_id
from ..filters.kinds import MODELS
from .common import model_of, stored_name, tag_list
from .lists import list_stored
from .task_life import publish_task

_NOT_FOUND = "no such public or company model"


@endpoint("models.create", "uri! name! project task parent comment framework tags[] system_tags[]")
def create(call: Call) -> Json:
    """Make a model; it is ready unless the call asks otherwise."""
    body, state = call.body, call.state
    values = model_values(call)
    model: Json = {"id": new_id(), "company": state.company, "user": state.user}
    model |= {"created": call.stamp, "tags": [], "system_tags": [], "uri": body["uri"], "design": {}}
    model |= {"labels": {}, "ready": True, "last_update": call.stamp, "last_change": call.stamp}
    model |= {"last_changed_by": state.user, "metadata": {}, "last_iteration": 0, "last_metrics": {}}
    state.models.add({**model, **values})
    return {"created": True, "id": model["id"]}


def model_values(call: Call) -> Json:
    """The fields of a create or edit request as they are stored.

    Raises:
        ApiError: 400/12 the project, 400/101 the task does not exist, 400/800 the name is too short.
    """
    body: Json = call.body
    values: Json = {}
    if body.get("name") is not None:
        values["name"] = stored_name(body["name"])
    for field in ("tags", "system_tags", "task", "comment", "uri", "project", "parent", "framework"):
        value = body.get(field)
        if value is not None:
            values[field] = tag_list(value, field) if field.endswith("tags") else value
    for field in ("design", "labels", "ready"):
        if body.get(field) is not None:
            values[field] = body[field]
    if body.get("metadata") is not None:
        values["metadata"] = metadata(body["metadata"])
    if values.get("project") and values["project"] not in call.state.projects:
        raise errors.invalid_request("Invalid project ids", project=values["project"])
    if values.get("task") and call.state.tasks.get(values["task"]) is None:
        raise errors.invalid_task(id=values["task"], company=call.state.company)
    return {field: value for field, value in values.items() if value != "" or field not in ("project", "task")}


def metadata(items: Any) -> Json:
    """Metadata as it is stored, by key; requests have it as a list.

    Raises:
        ApiError: 400/12, an item without a key or a type.
    """
    for item in items.values() if isinstance(items, dict) else items:
        for field in ("key", "type"):
            if not isinstance(item, dict) or item.get(field) is None:
                raise errors.invalid_request(f"error for field '{field}'. field is required!")
    return items if isinstance(items, dict) else {item["key"]: item for item in items}


@endpoint("models.get_by_id", "model!")
def get_by_id(call: Call) -> Json:
    """One model with all its fields."""
    return {"model": model_of(call, reason=_NOT_FOUND)}


@endpoint("models.get_by_task_id", "task")
def get_by_task_id(call: Call) -> Json:
    """The latest model of a task."""
    found = list(call.state.models.with_value("task", [call.get("task", "")]))
    if not found:
        raise errors.invalid_model(task=call.get("task"))
    return {"model": found[-1]}


@endpoint("models.get_all")
def get_all(call: Call) -> Json:
    """Models that pass the filters, ids of other objects as they are."""
    return list_stored(call, MODELS, call.state.models)


@endpoint("models.get_all_ex")
def get_all_ex(call: Call) -> Json:
    """Models that pass the filters, with scrolls and with fields of the project."""
    return list_stored(call, MODELS, call.state.models, extended=True)


@endpoint("models.get_frameworks")
def get_frameworks(call: Call) -> Json:
    """Frameworks of the models there are."""
    found = call.state.models.objects.values()
    return {"frameworks": sorted({model["framework"] for model in found if model.get("framework")})}


@endpoint("models.set_ready", "model!")
def set_ready(call: Call) -> Json:
    """Publish a model, and its task unless `publish_task` is false."""
    task = _publish(call, call.body["model"])
    return {"fields": {}, "updated": 1, **({"published_task": task} if task else {})}


@endpoint("models.publish_many", "ids[]!")
def publish_many(call: Call) -> Json:
    """Publish several models."""
    return many(call, "ids", lambda key: {"updated": True, "published_task": _publish(call, key)})


def _publish(call: Call, key: str) -> Json | None:
    """Publish one model; returns what became of its task.

    Raises:
        ApiError: 400/203 it is ready, 400/110 its task can not be published.
    """
    model = model_of(call, key)
    if model["ready"]:
        raise errors.model_ready(company=call.state.company, model=model["id"])
    published = None
    task = call.state.tasks.get(model.get("task", ""))
    wanted = call.body.get("publish_task") in (None, True)
    if task is not None and wanted and task["status"] != "published":
        fields = publish_task(call, task, models=False, force=bool(call.get("force_publish_task")))
        published = {"id": task["id"], "data": {"updated": 1, "fields": fields}}
    call.state.models.begin(model)["ready"] = True
    call.state.models.commit(model, call.stamp, update=True)
    return published
