"""Declarations: the arguments of an `add_*` call as a validated trigger, and the function it may name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from triggers.actions import functions
from triggers.base.errors import InvalidTrigger
from triggers.model import Policy, Trigger, make_trigger
from triggers.model.kinds import Kind
from triggers.model.trigger import PLAIN_FIELDS

_NAMELESS: Final = "(without a name)"
#: Arguments that change the ClearML task to be launched, so that they have no effect on a function.
_OF_TASKS: Final = ("task_parameters", "task_overrides", "reuse_task")


@dataclass(frozen=True, slots=True)
class Declaration:
    """A trigger as one line of a script declares it."""

    trigger: Trigger
    function: functions.Function | None  # callable in the declaring process
    named: bool  # False: the name was made from the base task's id
    place: str  # "script.py:12", or the name of a file of triggers

    @property
    def source(self) -> str:
        """The file that declares it."""
        return re.sub(r":\d+$", "", self.place)


def declare(kind: Kind, arguments: Mapping[str, Any], taken: Mapping[str, Declaration], place: str) -> Declaration:
    """Read the arguments of one `add_*` call.

    Args:
        kind: which of the three.
        arguments: all of them by name.
        taken: earlier declarations of this kind by name.
        place: where the call stands.

    Raises:
        InvalidTrigger: names the trigger, the argument, its value and the way out.
    """
    base_id, function = _base_id(arguments), arguments["schedule_function"]
    _exactly_one_action(arguments["name"] or base_id or _NAMELESS, arguments)
    name = _name(kind, base_id, arguments, taken, place)
    trigger = make_trigger(
        kind,
        name=name,
        action=_task_action(name, base_id, arguments) if function is None else _function_action(name, arguments),
        policy={field: arguments[field] for field in Policy.model_fields},
        **{field: arguments[field] for field in PLAIN_FIELDS},
        **{field: value for field, value in arguments.items() if field.startswith("trigger_")},
    )
    _projects_have_names(trigger.name, arguments)
    _no_tag_is_wanted_and_excluded(trigger)
    return Declaration(trigger, function, bool(arguments["name"]), place)


def _projects_have_names(trigger: str, arguments: Mapping[str, Any]) -> None:
    for argument in ("trigger_project", "target_project"):
        name = arguments.get(argument)
        if isinstance(name, str) and name and not name.strip("/ \t\n"):
            raise InvalidTrigger(trigger, argument, name, "give the full name of a project, such as 'Team/Training'")


def _no_tag_is_wanted_and_excluded(trigger: Trigger) -> None:
    """Refuse what nothing can satisfy; a trigger of this kind that is registered already stays readable."""
    excluded = set(trigger.trigger_exclude_tags)
    for argument in ("trigger_on_tags", "trigger_required_tags"):
        if both := sorted(excluded & set(getattr(trigger, argument))):
            way_out = f"{argument} wants {both[0]!r} present, so that nothing ever fires: leave one of them out"
            raise InvalidTrigger(trigger.name, "trigger_exclude_tags", list(trigger.trigger_exclude_tags), way_out)
    if trigger.trigger_on_any_tags and excluded.issuperset(trigger.trigger_on_any_tags):
        way_out = "it has every tag of trigger_on_any_tags, so that nothing ever fires: leave one of them out"
        raise InvalidTrigger(trigger.name, "trigger_exclude_tags", list(trigger.trigger_exclude_tags), way_out)


def _name(
    kind: Kind, base_id: str | None, arguments: Mapping[str, Any], taken: Mapping[str, Declaration], place: str
) -> str:
    """The name given, else the base task's id with a suffix that sets it apart."""
    name = arguments["name"]
    if name and not isinstance(name, str):
        raise InvalidTrigger(base_id or _NAMELESS, "name", name, "give a string")
    if not name and not base_id:
        what = "schedule_function" if arguments["schedule_function"] is not None else "schedule_task_query"
        raise InvalidTrigger(_NAMELESS, "name", name, f"{what} needs a name for the trigger")
    if name in taken:
        way_out = f"the {kind} trigger at {place} has the name of that at {taken[name].place}; rename one of them"
        raise InvalidTrigger(name, "name", name, way_out)
    return str(name or _free_name(str(base_id), taken))


def _base_id(arguments: Mapping[str, Any]) -> str | None:
    """The id of the base task, given as such or as an object of the SDK's class Task."""
    base = arguments["schedule_task_id"]
    if base is None or base == "":
        return None
    base_id = base if isinstance(base, str) else getattr(base, "id", None)
    if not isinstance(base_id, str) or not base_id:
        raise InvalidTrigger(
            str(arguments["name"] or _NAMELESS),
            "schedule_task_id",
            base,
            "give a task's id or a Task",
        )
    return base_id


def _exactly_one_action(name: object, arguments: Mapping[str, Any]) -> None:
    ways = ("schedule_task_id", "schedule_task_query", "schedule_function")
    given = [way for way in ways if arguments[way] not in (None, "")]
    if len(given) != 1:
        argument = given[-1] if given else "schedule_task_id"
        asked = "give one of the two" if len(given) == 2 else "give exactly one"
        raise InvalidTrigger(
            str(name),
            argument,
            arguments[argument],
            f"{asked if given else 'give one'} of {', '.join(given or ways)}",
        )
    function = arguments["schedule_function"]
    if function is None:
        return
    if not callable(function):
        raise InvalidTrigger(str(name), "schedule_function", function, "give a function that takes the object's id")
    if problem := functions.problem_of(function):
        raise InvalidTrigger(str(name), "schedule_function", function, problem)
    for argument in _OF_TASKS:
        if arguments[argument]:
            raise InvalidTrigger(str(name), argument, arguments[argument], "has no effect on a function; leave it out")


def _free_name(base_id: str, taken: Mapping[str, Declaration]) -> str:
    name, number = base_id, 1
    while name in taken:
        number += 1
        name = f"{base_id}-{number}"
    return name


def _task_action(name: str, base_id: str | None, arguments: Mapping[str, Any]) -> dict[str, Any]:
    if arguments["function_workers"]:
        raise InvalidTrigger(name, "function_workers", True, "has an effect with schedule_function only")
    query = arguments["schedule_task_query"]
    return {
        "type": "task",
        "base_task_id": base_id,
        "query": dict(query) if isinstance(query, Mapping) else query,
        "queue": arguments["schedule_queue"],
        "target_project": arguments["target_project"],
        "tag": _tag(name, arguments["add_tag"]),
        "reuse_task": arguments["reuse_task"],
        "parameters": arguments["task_parameters"],
        "overrides": arguments["task_overrides"],
    }


def _tag(name: str, add_tag: object) -> str | None:
    """The four forms: True is the trigger's name, a string itself, False and None no tag."""
    if add_tag is None or isinstance(add_tag, bool):
        return name if add_tag else None
    if not isinstance(add_tag, str):
        raise InvalidTrigger(name, "add_tag", add_tag, "give a tag, True for the trigger's name, or False")
    return add_tag or None


def _function_action(name: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    function, workers = arguments["schedule_function"], arguments["function_workers"]
    if not isinstance(workers, bool):
        raise InvalidTrigger(name, "function_workers", workers, "give True or False")
    reference = None
    if workers:
        try:
            reference = functions.reference_of(function)
        except ValueError as error:
            way_out = f"{error}; with function_workers=True workers have to be able to import it"
            raise InvalidTrigger(name, "schedule_function", function, way_out) from error
    return {"type": "function", "name": functions.display_name(function), "reference": reference}
