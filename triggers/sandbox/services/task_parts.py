"""Editing single hyperparams, configuration sections and runtime properties of a task."""

from __future__ import annotations

from .. import errors
from ..calls import Call, Json, endpoint
from .common import task_of
from .task_status import EDITABLE, UNPUBLISHED, check_draft
from .values import hidden_dots, section

#: the section of hyperparams that users edit at any time
PROPERTIES = "properties"


def _task_to_edit(call: Call, *, force: bool = False, editable: frozenset[str] = EDITABLE) -> Json:
    """The task of a request, if it may be edited: a draft, with force also one that waits or runs."""
    if editable is EDITABLE and not call.state.release.edits_queued:
        editable = EDITABLE - {"queued"}
    task = task_of(call)
    check_draft(task, force=force or bool(call.get("force")), editable=editable)
    return call.state.tasks.begin(task)


def _hyper_params_task(call: Call) -> Json:
    """User properties may be changed without force until the task is published."""
    if all(item.get("section") == PROPERTIES for item in call.body["hyperparams"]):
        return _task_to_edit(call, force=True, editable=UNPUBLISHED)
    return _task_to_edit(call)


def _done(call: Call, task: Json) -> None:
    task["last_changed_by"] = call.state.user
    call.state.tasks.commit(task, call.stamp, update=True)


def _tasks(call: Call) -> list[Json]:
    found = [call.state.tasks.get(key) for key in call.body["tasks"]]
    missing = [key for key, task in zip(call.body["tasks"], found, strict=True) if task is None]
    if missing:
        raise errors.invalid_task(ids=f"({','.join(missing)})")
    return [task for task in found if task is not None]


@endpoint("tasks.edit_hyper_params", "task! hyperparams[]! replace_hyperparams")
def edit_hyper_params(call: Call) -> Json:
    """Merge hyperparams; `replace_hyperparams` may be `section` or `all`."""
    task = _hyper_params_task(call)
    replace = call.get("replace_hyperparams")
    if replace not in (None, "none", "section", "all"):
        raise errors.invalid_request(
            f"error for field 'replace_hyperparams': value '{replace}' is not a valid choice.."
        )
    params = {} if replace == "all" else {name: dict(items) for name, items in task["hyperparams"].items()}
    if replace == "section":
        for item in call.body["hyperparams"]:
            params[item["section"]] = {}
    for item in section(dict(enumerate(call.body["hyperparams"]))).values():
        params.setdefault(item["section"], {})[item["name"]] = item
    task["hyperparams"] = params
    _done(call, task)
    return {"updated": 1}


@endpoint("tasks.delete_hyper_params", "task! hyperparams[]!")
def delete_hyper_params(call: Call) -> Json:
    """Delete hyperparams, or whole sections."""
    task = _hyper_params_task(call)
    params = {name: dict(items) for name, items in task["hyperparams"].items()}
    for item in call.body["hyperparams"]:
        if item.get("name") is None:
            params.pop(item["section"], None)
        else:
            params.get(item["section"], {}).pop(item["name"], None)
    task["hyperparams"] = {name: items for name, items in params.items() if items}
    _done(call, task)
    return {"deleted": 1}


@endpoint("tasks.get_hyper_params", "tasks[]!")
def get_hyper_params(call: Call) -> Json:
    """Hyperparams of tasks as lists."""

    def one(task: Json) -> Json:
        params = task["hyperparams"]
        items = [params[section][name] for section in sorted(params) for name in sorted(params[section])]
        return {"task": task["id"], "hyperparams": items}

    return {"params": [one(task) for task in _tasks(call)]}


@endpoint("tasks.edit_configuration", "task! configuration[]!")
def edit_configuration(call: Call) -> Json:
    """Merge configuration sections; `replace_configuration` replaces all."""
    task = _task_to_edit(call)
    known = {} if call.get("replace_configuration") else dict(task["configuration"])
    for item in section(dict(enumerate(call.body["configuration"]))).values():
        known[item["name"]] = item
    task["configuration"] = known
    _done(call, task)
    return {"updated": 1}


@endpoint("tasks.delete_configuration", "task! configuration[]!")
def delete_configuration(call: Call) -> Json:
    """Delete configuration sections by name."""
    task = _task_to_edit(call)
    gone = set(call.body["configuration"])
    task["configuration"] = {name: item for name, item in task["configuration"].items() if name not in gone}
    _done(call, task)
    return {"deleted": 1}


@endpoint("tasks.get_configurations", "tasks[]! names[]")
def get_configurations(call: Call) -> Json:
    """Configuration sections of tasks as lists."""
    names = call.get("names")

    def one(task: Json) -> Json:
        items = [item for name, item in sorted(task["configuration"].items()) if not names or name in names]
        return {"task": task["id"], "configuration": items}

    return {"configurations": [one(task) for task in _tasks(call)]}


@endpoint("tasks.get_configuration_names", "tasks[]!")
def get_configuration_names(call: Call) -> Json:
    """Names of the configuration sections of tasks."""
    found = [{"task": task["id"], "names": sorted(task["configuration"])} for task in _tasks(call)]
    return {"configurations": found}


@endpoint("tasks.edit_runtime", "task! remove[]")
def edit_runtime(call: Call) -> Json:
    """Merge and remove runtime properties; of a task that waits or runs without force too."""
    task = _task_to_edit(call, force=True)
    gone = {key.replace(".", "%2E") for key in call.get("remove", [])}
    known = {**task["runtime"], **hidden_dots(call.get("add_or_update", {}))}
    task["runtime"] = {key: value for key, value in known.items() if key not in gone}
    _done(call, task)
    return {"updated": 1}
