"""The JSON of the original TriggerScheduler's configuration sections, read and written.

Its keys are the original's; what only this project knows is in keys of its own beside them, written when it
differs from the default. The original keeps the id of a project where we keep its name.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from triggers.errors import Usage
from triggers.model.action import FunctionAction, TaskAction
from triggers.model.events import Kind, milliseconds
from triggers.model.trigger import Trigger, make_trigger

#: Name of the configuration section of each kind.
SECTIONS: Final[dict[Kind, str]] = {"model": "models", "dataset": "datasets", "task": "tasks"}

_ID: Final = re.compile(r"[0-9a-f]{32}")
_POLICY: Final = ("fire", "cooldown_minutes", "overlap", "max_per_minute")
#: The original's keys and ours: conditions of all kinds, then of tasks.
_CONDITIONS: Final = {
    "match_name": "trigger_name",
    "tags": "trigger_on_tags",
    "required_tags": "trigger_required_tags",
    "on_publish": "trigger_on_publish",
    "on_archive": "trigger_on_archive",
}
_TASK_CONDITIONS: Final = {
    "metrics": "trigger_on_metric",
    "variant": "trigger_on_variant",
    "threshold": "trigger_on_threshold",
    "value_sign": "trigger_on_sign",
    "exclude_dev": "trigger_exclude_dev_tasks",
    "on_status": "trigger_on_status",
}
_OWN_CONDITIONS: Final = ("trigger_on_any_tags", "trigger_exclude_tags", "trigger_on_direction")


def to_original(trigger: Trigger, project_id: str | None = None) -> dict[str, Any]:
    """Write a trigger as an item of the original's configuration section.

    Args:
        trigger: what to write.
        project_id: id of its project if the caller knows it; otherwise the name stands in its place, by which
            the original finds nothing (without any it would watch every project).
    """
    item: dict[str, Any] = {"name": trigger.name, **_action_to(trigger)}
    item["project"] = trigger.project_id or project_id or trigger.trigger_project
    conditions = _CONDITIONS | (_TASK_CONDITIONS if trigger.kind == "task" else {})
    item |= {key: _given(getattr(trigger, field)) for key, field in conditions.items()}
    item["last_update"] = None
    own = {name: _given(getattr(trigger, name, None)) for name in ("trigger_project", *_OWN_CONDITIONS)}
    own |= trigger.policy.model_dump(include=set(_POLICY), exclude_defaults=True)
    if not trigger.provenance:
        item["provenance"] = False
    if trigger.owner:
        item["owner"] = trigger.owner
    return item | {key: value for key, value in own.items() if value is not None}


def from_original(kind: Kind, item: Mapping[str, Any]) -> Trigger:
    """Read an item of the original's configuration section, as the original or as `to_original` wrote it.

    The original leaves functions out, so that an item without a base task calls one that a script declares.

    Raises:
        InvalidTrigger: a field is wrong.
    """
    if not isinstance(item, Mapping):
        raise Usage(f"configuration section {SECTIONS[kind]!r}: every item is a dictionary, and {item!r} is none")
    conditions = _CONDITIONS | (_TASK_CONDITIONS if kind == "task" else {})
    fields = {field: item.get(key) for key, field in conditions.items()}
    own = ("trigger_on_any_tags", "trigger_exclude_tags")
    fields |= {name: item[name] for name in (_OWN_CONDITIONS if kind == "task" else own) if name in item}
    return make_trigger(
        kind,
        name=item.get("name") or item.get("base_task_id"),
        **fields,
        **_project_from(item),
        action=_action_from(item),
        policy={"single_instance": item.get("single_instance"), **_present(item, _POLICY)},
        provenance=item.get("provenance", True),
        owner=item.get("owner"),
    )


def triggered_objects(item: Mapping[str, Any]) -> dict[str, int]:
    """Read from an item of the original's state for which objects it has fired, and when (ms since the epoch)."""
    return {id_: milliseconds(time) for id_, time in (item.get("_triggered_instances") or {}).items()}


def _given(value: Any) -> Any:
    """Nothing asked for is null, as the original writes it."""
    if value is None or value is False or value == ():
        return None
    return list(value) if isinstance(value, tuple) else value


def _present(item: Mapping[str, Any], keys: tuple[str, ...]) -> dict[str, Any]:
    return {key: item[key] for key in keys if item.get(key) is not None}


def _action_to(trigger: Trigger) -> dict[str, Any]:
    action = trigger.action
    if isinstance(action, FunctionAction):
        task = TaskAction.model_construct()
        own: dict[str, Any] = {"function": action.name or None, "function_reference": action.reference}
    else:
        task = action
        query = action.query.model_dump(mode="json", exclude_defaults=True) if action.query else None
        own = {"base_function": None, "schedule_task_query": query}
    item = {
        "base_task_id": task.base_task_id,
        "queue": task.queue,
        "target_project": task.target_project,
        "single_instance": trigger.policy.single_instance,
        "task_parameters": task.parameters or None,
        "task_overrides": task.overrides or None,
        "clone_task": not task.reuse_task,
        "add_tag": task.tag,
    }
    return item | {key: value for key, value in own.items() if value is not None or key == "base_function"}


def _action_from(item: Mapping[str, Any]) -> dict[str, Any]:
    query = item.get("schedule_task_query")
    if not item.get("base_task_id") and query is None:
        return {
            "type": "function",
            "name": item.get("function") or "",
            "reference": item.get("function_reference"),
        }
    return {
        "type": "task",
        "base_task_id": item.get("base_task_id"),
        "query": query,
        "queue": item.get("queue"),
        "target_project": item.get("target_project"),
        "tag": item.get("add_tag"),
        "reuse_task": item.get("clone_task") is False,
        "parameters": item.get("task_parameters"),
        "overrides": item.get("task_overrides"),
    }


def _project_from(item: Mapping[str, Any]) -> dict[str, Any]:
    if item.get("trigger_project") is not None:
        return {"trigger_project": item["trigger_project"]}
    project = item.get("project")
    # A person may have typed a name where the original keeps an id.
    is_id = isinstance(project, str) and _ID.fullmatch(project)
    return {"project_id" if is_id else "trigger_project": project}
