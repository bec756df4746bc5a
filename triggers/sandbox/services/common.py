"""What several services need: finding objects, and fields that are stored in a certain form."""

from __future__ import annotations

from typing import Any

from .. import errors
from ..calls import Call, Json


def task_of(call: Call, key: str | None = None) -> Json:
    """The task that a request is about.

    Raises:
        ApiError: 400/101, there is none.
    """
    key = call.body["task"] if key is None else key
    task = call.state.tasks.get(key)
    if task is None:
        raise errors.invalid_task(id=key, company=call.state.company)
    return task


def model_of(call: Call, key: str | None = None, reason: str = "") -> Json:
    """The model that a request is about.

    Raises:
        ApiError: 400/201, there is none.
    """
    key = call.body["model"] if key is None else key
    model = call.state.models.get(key)
    if model is None:
        if reason:
            raise errors.invalid_model(reason, id=key, company=call.state.company)
        raise errors.invalid_model(company=call.state.company, id=key)
    return model


def project_of(call: Call, key: str) -> Json:
    """The project of an id.

    Raises:
        ApiError: 400/401, there is none.
    """
    project = call.state.projects.get(key)
    if project is None:
        raise errors.invalid_project(id=key)
    return project


def target_project(call: Call) -> str | None:
    """The project that a move goes to, by `project` or by `project_name`, which is made if it is missing."""
    name = call.get("project_name")
    if name and not call.get("project"):
        return str(call.state.project_of(name, call.stamp)["id"])
    key = call.get("project")
    return str(project_of(call, key)["id"]) if key else None


def tag_list(value: Any, field: str) -> list[str]:
    """Tags as they are stored: sorted, each once.

    Raises:
        ApiError: 400/800, not a list.
    """
    if not isinstance(value, list):
        raise errors.invalid_data(**{field: "Only lists and tuples may be used in a list field"})
    return sorted({str(tag) for tag in value})


def check_task_name(name: Any) -> str:
    """A name that a task can have.

    Raises:
        ApiError: 400/800, shorter than three characters.
    """
    if not isinstance(name, str) or len(name) < 3:
        raise errors.name_too_short()
    return name


def change_tags(call: Call, obj: Json) -> int:
    """Add and remove the tags of an update_tags request; returns how many operations that were."""
    add, remove = call.get("add_tags", []), call.get("remove_tags", [])
    tags = (set(obj["tags"]) | set(add)) - set(remove)
    obj["tags"] = sorted(tags)
    return bool(add) + bool(remove)


def check_tags_given(call: Call) -> None:
    """Refuse an update_tags request without tags."""
    if not call.get("add_tags") and not call.get("remove_tags"):
        raise errors.invalid_request("Either add tags or remove tags should be provided")


def set_archived(obj: Json, archived: bool) -> None:
    """Archived is a system tag."""
    tags = set(obj["system_tags"])
    obj["system_tags"] = sorted(tags | {"archived"} if archived else tags - {"archived"})
