"""What each argument of `add_*` is for, as its field declares it: the source of docstrings and of the JSON schema."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from pydantic import BaseModel

from triggers.model.action import action_classes
from triggers.model.kinds import Kind
from triggers.model.policy import Policy
from triggers.model.schedule_fields import SCHEDULE
from triggers.model.trigger import CLASSES

#: Stands in a description for the reference to the id of the object: "${model.id}" for models.
_REFERENCE: Final = "${kind.id}"


#: What arguments are for where they differ for schedules, which are about no object.
_OF_SCHEDULES: Final = {
    "schedule_function": "Function to call instead of launching a ClearML task: without arguments, or with the "
    "nominal time, a text in ISO 8601, if it takes one. If it has a parameter `firing`, it also gets a `FiringInfo`. "
    "It can be called more than once for one firing: when it raises, and when its process dies.",
    "name": "Name of the schedule, unique among the schedules; a schedule keeps its history under its name. If "
    "omitted, the id of the base task; required without `schedule_task_id`.",
    "task_parameters": "Hyperparameters of the launched ClearML task, as {'Section/name': value}, merged into those of "
    "the base task. '${schedule.at}' in a value becomes the nominal time in ISO 8601 with its offset; '$${' is a "
    "literal '${'.",
    "task_overrides": "Other parts of the launched ClearML task, such as {'script.branch': 'main'}; "
    "`triggers.actions.overrides` lists the keys. '${schedule.at}' as in `task_parameters`.",
    "on_resolved": "Refused if given: a schedule has no condition that becomes false again.",
}


def description(kind: Kind, argument: str) -> str:
    """Describe an argument of `add_<kind>_trigger`; "" if nothing declares it."""
    if kind == SCHEDULE and argument in _OF_SCHEDULES:
        return _OF_SCHEDULES[argument]
    return next(filter(None, _found(kind, argument)), "").replace(_REFERENCE, f"${{{kind}.id}}")


def _found(kind: Kind, argument: str) -> Iterator[str]:
    yield _of_field(CLASSES[kind], argument)
    yield _of_field(Policy, argument)
    for action in action_classes().values():
        behind = [field for field, name in action.ARGUMENTS.items() if name == argument]
        yield _of_field(action, behind[0] if behind else argument)
        yield action.DESCRIPTIONS.get(argument, "")


def _of_field(model: type[BaseModel], name: str) -> str:
    field = model.model_fields.get(name)
    return (field.description or "") if field else ""
