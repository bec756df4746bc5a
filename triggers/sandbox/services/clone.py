"""tasks.clone: what a copy keeps, what it drops, what the request replaces."""

from __future__ import annotations

from typing import Any

from .. import errors
from ..calls import Call, Json, endpoint
from .common import made_project, project_of, stored_name
from .tasks import new_task
from .values import section

#: system tags that a copy does not take over
_NOT_COPIED = frozenset({"development", "archived"})


@endpoint(
    "tasks.clone",
    "task! new_task_name new_task_comment new_task_tags[] new_task_system_tags[] new_task_parent "
    "new_task_project new_project_name",
)
def clone(call: Call) -> Json:
    """Make a draft of a task. Given values replace those of the source; empty ones count as not given."""
    source = call.state.tasks.get(call.body["task"])
    if source is None:
        raise errors.invalid_task(id=call.body["task"])
    project, made = _project(call, source)
    values = _values(call, source)
    if project:
        values["project"] = project
    name = stored_name(call.get("new_task_name") or source["name"])
    task = new_task(call, name, source["type"], values)
    call.state.tasks.add(task)
    return {"id": task["id"], **made}


def _values(call: Call, source: Json) -> Json:
    given = call.get
    tags = given("new_task_tags") or source["tags"]
    system_tags = given("new_task_system_tags") or [tag for tag in source["system_tags"] if tag not in _NOT_COPIED]
    artifacts = [item for item in source["execution"]["artifacts"] if item["mode"] == "input"]
    execution = {key: value for key, value in source["execution"].items() if key != "queue"}
    inputs = given("new_task_input_models")
    values: Json = {
        "tags": sorted(tags),
        "system_tags": sorted(system_tags),
        "parent": _parent(call, source),
        "script": source["script"],
        "container": given("new_task_container") or source["container"],
        "hyperparams": section(given("new_task_hyperparams")) or source["hyperparams"],
        "configuration": section(given("new_task_configuration")) or source["configuration"],
        "execution": _merged({**execution, "artifacts": artifacts}, given("execution_overrides") or {}),
        "models": {"input": _inputs(call, inputs) if inputs else source["models"]["input"], "output": []},
    }
    comment = given("new_task_comment") or source.get("comment")
    if comment is not None:
        values["comment"] = comment
    if source["output"].get("destination"):
        values["output"] = {"destination": source["output"]["destination"]}
    return values


def _parent(call: Call, source: Json) -> str:
    """The parent given, else the source's own parent, else the source."""
    key = call.get("new_task_parent")
    if not key:
        return str(source.get("parent") or source["id"])
    if call.state.tasks.get(key) is None:
        raise errors.ApiError(400, 101, "Invalid task id (invalid parent)", parent=key)
    return str(key)


def _project(call: Call, source: Json) -> tuple[str | None, Json]:
    """The new task's project, and what the answer says of one given by name."""
    key, name = call.get("new_task_project"), call.get("new_project_name")
    if key:
        return project_of(call, key)["id"], {}
    if not name:
        return source.get("project"), {}
    project = made_project(call, name)
    return project["id"], {"new_project": {"id": project["id"], "name": name}}


def _inputs(call: Call, items: list[Json]) -> list[Json]:
    return [{"name": item["name"], "model": item["model"], "updated": call.stamp} for item in items]


def _merged(value: Any, changes: Any) -> Any:
    """`changes` laid over `value`, dictionaries in it too."""
    if not isinstance(value, dict) or not isinstance(changes, dict):
        return changes
    return {**value, **{key: _merged(value.get(key), item) for key, item in changes.items()}}
