"""The JSON of the original TriggerScheduler's configuration sections, read and written.

Its keys are the original's; what only this project knows is in keys of its own beside them, written when it
differs from the default. The original keeps the id of a project where we keep its name.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from triggers.base.errors import Usage
from triggers.model import original_schedule
from triggers.model.action import ACTIONS, DeclaredAction, action_classes, first_of
from triggers.model.events import milliseconds
from triggers.model.fields import declared
from triggers.model.kinds import KINDS, Kind
from triggers.model.parts import LISTS
from triggers.model.policy import Policy
from triggers.model.schedule_fields import SCHEDULE
from triggers.model.trigger import CLASSES, PLAIN_FIELDS, Trigger, make_trigger

#: Name of the configuration section of each kind.
SECTIONS: Final[dict[Kind, str]] = {kind: row.section or row.plural for kind, row in KINDS.items()}

_ID: Final = re.compile(r"[0-9a-f]{32}")
#: Conditions that are written in a way of their own: the original has one key for both.
_PLACE: Final = ("trigger_project", "project_id")
#: What the original's item says where it launches no ClearML task, in its order.
_LAUNCHES_NOTHING: Final[dict[str, Any]] = {
    "base_task_id": None, "queue": None, "target_project": None, "single_instance": None, "task_parameters": None,
    "task_overrides": None, "clone_task": True, "add_tag": None,
}  # fmt: skip
#: The one field of the policy that the original knows.
_SINGLE: Final = "single_instance"


def keys_of(kind: Kind) -> dict[str, str]:
    """Give the original's key of each field of a condition that the original knows."""
    return {name: declaration.key for name, declaration in declared(CLASSES[kind]).items() if declaration.key}


def own_conditions(kind: Kind) -> list[str]:
    """Give the fields of a condition that only this project knows, where they stand apart."""
    return [name for name, declaration in declared(CLASSES[kind]).items() if not declaration.key and name not in _PLACE]


def own_keys(kind: Kind) -> set[str]:
    """Give the keys that only this project knows: each is there when it says something."""
    action = {key for each in action_classes().values() if each.WAYS for key in each.KEYS}
    return {"trigger_project", *own_conditions(kind), *Policy.model_fields, *PLAIN_FIELDS, *action}


def to_original(trigger: Trigger, project_id: str | None = None) -> dict[str, Any]:
    """Write a trigger as an item of the original's configuration section.

    Args:
        trigger: what to write.
        project_id: id of its project if the caller knows it; otherwise the name stands in its place, by which
            the original finds nothing (without any it would watch every project).
    """
    item: dict[str, Any] = {"name": trigger.name, **_action_to(trigger)}
    if trigger.kind == SCHEDULE:
        return _to_schedule(trigger, item)
    item["project"] = trigger.project_id or project_id or trigger.trigger_project
    item |= {key: _given(getattr(trigger, field)) for field, key in keys_of(trigger.kind).items()}
    item["last_update"] = None
    own = {name: _given(getattr(trigger, name)) for name in ("trigger_project", *own_conditions(trigger.kind))}
    own |= trigger.policy.model_dump(exclude={_SINGLE}, exclude_defaults=True)
    own |= trigger.model_dump(include=set(PLAIN_FIELDS) - set(LISTS), exclude_defaults=True)
    for name in LISTS:
        if listed := [*item.pop(name, ()), *(each.form() for each in getattr(trigger, name))]:
            own[name] = listed
    return item | {key: value for key, value in own.items() if value is not None}


def _to_schedule(trigger: Trigger, written: Mapping[str, Any]) -> dict[str, Any]:
    fields = {key: getattr(trigger, field) for field, key in keys_of(trigger.kind).items()}
    own = trigger.model_dump(include={*own_conditions(trigger.kind), *PLAIN_FIELDS}, exclude_defaults=True)
    own |= trigger.policy.model_dump(exclude={_SINGLE}, exclude_defaults=True)
    plain = {key: list(value) if isinstance(value, tuple) else value for key, value in own.items()}
    return original_schedule.to_item(written, fields, plain)


def from_original(kind: Kind, item: Mapping[str, Any]) -> Trigger:
    """Read an item of the original's configuration section, as the original or as `to_original` wrote it.

    The original leaves functions out, so that an item without a base task calls one that a script declares.

    Raises:
        InvalidTrigger: a field is wrong.
    """
    if not isinstance(item, Mapping):
        raise Usage(f"every item must be a dictionary, not {item!r:.200}")
    if kind == SCHEDULE:
        item = original_schedule.from_item(item)
    fields = {field: item.get(key) for field, key in keys_of(kind).items()}
    fields |= {name: item[name] for name in (*own_conditions(kind), *PLAIN_FIELDS) if name in item}
    action, fields[ACTIONS] = _actions_from(item)
    return make_trigger(
        kind,
        name=item.get("name") or item.get("base_task_id"),
        **fields,
        **({} if kind == SCHEDULE else _project_from(item)),
        action=action,
        policy={name: item[name] for name in Policy.model_fields if item.get(name) is not None},
    )


def triggered_objects(item: Mapping[str, Any]) -> dict[str, int]:
    """Read from an item of the original's state for which objects it has fired, and when (ms since the epoch)."""
    return {id_: milliseconds(time) for id_, time in (item.get("_triggered_instances") or {}).items()}


def _given(value: Any) -> Any:
    """Nothing asked for is null, as the original writes it."""
    if value is None or value is False or value == ():
        return None
    return list(value) if isinstance(value, tuple) else value


def _action_to(trigger: Trigger) -> dict[str, Any]:
    single = {_SINGLE: trigger.policy.single_instance}
    return {**_LAUNCHES_NOTHING, **single, **trigger.action.to_original()}


def _actions_from(item: Mapping[str, Any]) -> tuple[Any, Any]:
    """Read the first action and the others: by the first that knows its keys, else as the first of those listed.

    An item without a base task is about a function, unless it lists actions and names none.
    """
    listed = item.get(ACTIONS)
    found = (each.from_original(item) for each in action_classes().values() if _names(each, item) or not listed)
    first = next((fields for fields in found if fields is not None), None)
    return first_of(listed) if first is None and listed else (first, listed)


def _names(of: type[DeclaredAction], item: Mapping[str, Any]) -> bool:
    """Whether an item says anything by the keys that an action has for itself."""
    return any(item.get(key) is not None for key in (*of.KEYS, *of.ORIGINAL_KEYS))


def _project_from(item: Mapping[str, Any]) -> dict[str, Any]:
    if item.get("trigger_project") is not None:
        return {"trigger_project": item["trigger_project"]}
    project = item.get("project")
    # A person may have typed a name where the original keeps an id.
    is_id = isinstance(project, str) and _ID.fullmatch(project)
    return {"project_id" if is_id else "trigger_project": project}
