"""Projects: a tree by name, `a/b/c` lies in `a/b`."""

from __future__ import annotations

from typing import Any

from .. import errors
from ..calls import Call, Json, endpoint
from ..filters.kinds import PROJECTS
from .common import made_project, project_name, project_of, tag_list
from .lists import list_plain
from .task_delete import delete_task

#: statuses that statistics count
_STATUSES = (
    *("created", "queued", "in_progress", "stopped", "failed", "completed", "published"),
    *("closed", "publishing", "unknown"),
)


@endpoint("projects.create", "name! description")
def create(call: Call) -> Json:
    """Make a project of a new name, and those above it."""
    name = project_name(call, call.body["name"])
    if call.state.project_named(name):
        raise errors.project_exists(name=name, company=call.state.company)
    return {"id": call.state.project_of(name, call.stamp, **_values(call))["id"]}


def _values(call: Call) -> Json:
    values: Json = {}
    for field in ("description", "default_output_destination"):
        if call.body.get(field) is not None:
            values[field] = call.body[field]
    for field in ("tags", "system_tags"):
        if call.body.get(field) is not None:
            values[field] = tag_list(call.body[field], field)
    return values


@endpoint("projects.get_by_id", "project!")
def get_by_id(call: Call) -> Json:
    """One project with the ids of those above it."""
    project = project_of(call, call.body["project"])
    path = [above["id"] for above in reversed(call.state.ancestors(project))]
    return {"project": {**project, "path": path}}


def _visible(call: Call) -> list[Json]:
    """Projects that are not hidden, or all if they are asked for by id or with search_hidden."""
    projects = list(call.state.projects.values())
    if call.get("shallow_search"):
        projects = [project for project in projects if "parent" not in project]
    if call.get("search_hidden") or call.get("id"):
        return projects
    return [project for project in projects if "hidden" not in project["system_tags"]]


@endpoint("projects.get_all")
def get_all(call: Call) -> Json:
    """Projects that pass the filters."""
    return {"projects": list_plain(call, PROJECTS, _visible(call))}


@endpoint("projects.get_all_ex")
def get_all_ex(call: Call) -> Json:
    """Projects that pass the filters, with statistics if asked for."""
    found = list_plain(call, PROJECTS, _visible(call), extended=True)
    for shown in found:
        project = call.state.projects[shown["id"]]
        if "hidden" in project["system_tags"]:
            shown["hidden"] = True
        if call.get("include_stats"):
            shown["stats"] = {"active": _statistics(call, project)}
            below = call.state.below(project["id"])[1:]
            shown["sub_projects"] = [{"id": key, "name": call.state.projects[key]["name"]} for key in below]
    return {"projects": found}


def _statistics(call: Call, project: Json) -> Json:
    tasks = call.state.tasks.with_value("project", call.state.below(project["id"]))
    counts = dict.fromkeys(_STATUSES, 0)
    for task in tasks:
        if "archived" not in task["system_tags"]:
            counts[task["status"]] = counts.get(task["status"], 0) + 1
    recent = {"completed_tasks_24h": 0, "last_task_run": None}
    return {"status_count": counts, "total_tasks": sum(counts.values()), "total_runtime": 0, **recent}


@endpoint("projects.update", "project! name description")
def update(call: Call) -> Json:
    """Change a project; a new name is also that of the projects below it, an empty one changes nothing."""
    project = project_of(call, call.body["project"])
    values = _values(call)
    name = call.body.get("name")
    if name is not None:
        if name:
            name = project_name(call, name)
            _rename(call, project, name)
        values = {"name": name, **values}
    if values:
        project.update({**values, "name": project["name"]}, last_update=call.stamp)
    return {"fields": values, "updated": 1 if values else 0}


@endpoint("projects.move", "project! new_location")
def move(call: Call) -> Json:
    """Put a project, with those below it, under another one, which is made if it is missing; or under none."""
    project, state = project_of(call, call.body["project"]), call.state
    location = call.get("new_location", "").strip()
    parent = made_project(call, location) if location.strip("/") else None
    if parent is not None and parent["id"] in state.below(project["id"]):
        raise errors.invalid_request("a project cannot be moved under itself", location=location)
    name = f"{parent['name']}/{project['basename']}" if parent else project["basename"]
    if name != project["name"] and state.project_named(name):
        raise errors.not_unique(name=name, company=state.company)
    moved = state.below(project["id"])
    state.rename_project(project, name)
    project.pop("parent", None)
    if parent is not None:
        project["parent"] = parent["id"]
    project["last_update"] = call.stamp
    return {"moved": len(moved)}


def _rename(call: Call, project: Json, name: str) -> None:
    """Give a project and those below it a name at the same place of the tree."""
    if name == project["name"]:
        return
    if name.rpartition("/")[0] != project["name"].rpartition("/")[0]:
        raise errors.project_elsewhere(name)
    if call.state.project_named(name):
        raise errors.not_unique(name=name, company=call.state.company)
    call.state.rename_project(project, name)


@endpoint("projects.delete", "project!")
def delete(call: Call) -> Json:
    """Delete a project; with `force` its tasks and models stay, without a project; no times move."""
    state = call.state
    keys = state.below(project_of(call, call.body["project"])["id"])
    tasks = list(state.tasks.with_value("project", keys))
    models = list(state.models.with_value("project", keys))
    if not call.get("force") and any("archived" not in obj["system_tags"] for obj in (*tasks, *models)):
        raise errors.project_has_tasks(id=call.body["project"])
    counts: dict[str, Any] = {"deleted": 1, "disassociated_tasks": 0, "deleted_models": 0, "deleted_tasks": 0}
    if call.get("delete_contents"):
        _delete_contents(call, tasks, models)
        counts |= {"deleted_tasks": len(tasks), "deleted_models": len(models)}
    else:
        counts["disassociated_tasks"] = len(tasks)
        for store, objects in ((state.tasks, tasks), (state.models, models)):
            for obj in objects:
                store.begin(obj).pop("project", None)
                store.commit(obj)
    for key in keys:
        del state.projects[key]
    return {**counts, "urls": None}


def _delete_contents(call: Call, tasks: list[Json], models: list[Json]) -> None:
    for model in models:
        call.state.models.remove(model)
    forced = Call(call.state, call.endpoint, {"force": True}, call.now)
    for task in tasks:
        delete_task(forced, task)


@endpoint("projects.get_task_tags")
def get_task_tags(call: Call) -> Json:
    """Tags that tasks have."""
    return {"tags": sorted(call.state.tasks.indexes["tags"]), "system_tags": []}


@endpoint("projects.get_model_tags")
def get_model_tags(call: Call) -> Json:
    """Tags that models have."""
    return {"tags": sorted(call.state.models.indexes["tags"]), "system_tags": []}
