"""What several services need: finding objects, and fields that are stored in a certain form."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .. import errors
from ..calls import Call, Json
from ..store import ObjectStore

#: characters that a name has at least
SHORTEST_NAME = 3


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


def made_project(call: Call, name: str) -> Json:
    """The project of a name, made with those above it if it is missing; blanks around the name do not count."""
    return call.state.project_of(project_name(call, name.strip()), call.stamp)


def target_project(call: Call) -> str:
    """The project that a move goes to, by `project` or by `project_name`, which is made if it is missing.

    Raises:
        ApiError: 400/11 neither is given, 400/401 there is no such project.
    """
    key, name = call.get("project"), call.get("project_name")
    if key:
        return str(project_of(call, key)["id"])
    if not name:
        raise errors.missing_fields("project or project_name is required")
    return str(made_project(call, name)["id"])


def move_all(call: Call, store: ObjectStore, objects: Iterable[Json]) -> Json:
    """Move tasks or models to the project that the call names."""
    project = target_project(call)
    for one in objects:
        store.begin(one)["project"] = project
        store.commit(one, call.stamp)
    return {"project_id": project}


def touch_all(call: Call, store: ObjectStore, keys: Iterable[str]) -> Json:
    """Change those that exist in nothing but the time of their last change: there is one company here."""
    found = [one for key in keys if (one := store.get(key)) is not None]
    for one in found:
        store.begin(one)
        store.commit(one, call.stamp)
    return {"updated": len(found)}


def tag_list(value: Any, field: str) -> list[str]:
    """Tags as they are stored: sorted, doubled ones twice.

    Raises:
        ApiError: 400/800, not a list.
    """
    if not isinstance(value, list):
        raise errors.invalid_data(**{field: "Only lists and tuples may be used in a list field"})
    return sorted(map(str, value))


def stored_name(name: Any) -> str:
    """The name of a task, model or queue as it is stored: without blanks around it.

    Raises:
        ApiError: 400/800, shorter than three characters.
    """
    stored: str = name.strip() if isinstance(name, str) else ""
    if len(stored) < SHORTEST_NAME:
        raise errors.name_too_short()
    return stored


def project_name(call: Call, name: str) -> str:
    """The name of a project as it is stored: without blanks around its parts and without empty parts.

    Raises:
        ApiError: 400/407 it has no part, 400/12 (400/800 in old releases) one is shorter than three characters.
    """
    parts = [part.strip() for part in name.split("/") if part]
    if not parts:
        raise errors.invalid_project_name(name)
    if call.state.release.short_project_parts:
        return stored_name("/".join(parts))
    if any(len(part) < SHORTEST_NAME for part in parts):
        raise errors.short_project_name()
    return "/".join(parts)


def change_tags(call: Call, obj: Json) -> int:
    """Add tags that are not there and remove tags; returns how many operations that were."""
    add, remove = call.get("add_tags", []), call.get("remove_tags", [])
    tags = [*obj["tags"], *(set(add) - set(obj["tags"]))]
    obj["tags"] = sorted(tag for tag in tags if tag not in remove)
    return bool(add) + bool(remove)


def deleted_id(key: str) -> str:
    """What other objects keep of the id of one that was deleted."""
    return f"__DELETED__{key}"


def check_tags_given(call: Call) -> None:
    """Refuse an update_tags request without tags."""
    if not call.get("add_tags") and not call.get("remove_tags"):
        raise errors.invalid_request("Either add tags or remove tags should be provided")


def set_archived(obj: Json, archived: bool) -> None:
    """Archived is a system tag."""
    others = [tag for tag in obj["system_tags"] if tag != "archived"]
    obj["system_tags"] = sorted([*others, "archived"] if archived else others)
