"""Declarations: the arguments of an `add_*` call as a validated trigger, and the function it may name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

from triggers.actions import functions
from triggers.base.errors import InvalidTrigger
from triggers.client.excluded_days import HERE, excluded
from triggers.model import DeclaredAction, Trigger, make_trigger
from triggers.model.action import ACTIONS, action_classes, first_of, problem_of_listed
from triggers.model.fields import declared
from triggers.model.kinds import Kind, named_as, noun_of, phrase_of
from triggers.model.parts import shown
from triggers.model.trigger import CLASSES, PLAIN_FIELDS, policy_of

_NAMELESS: Final = "(without a name)"


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


def declare(
    kind: Kind,
    arguments: Mapping[str, Any],
    taken: Mapping[str, Declaration],
    place: str,
    *,
    in_file: bool = False,
    folder: Path | None = HERE,
) -> Declaration:
    """Read the arguments of one `add_*` call, or of an item of a file, where functions are named.

    Args:
        kind: which of them.
        arguments: all of them by name.
        taken: earlier declarations of this kind by name.
        place: where the call stands.
        in_file: it stands in a file of triggers.
        folder: where the paths begin that it names; None if it may name none.

    Raises:
        InvalidTrigger: names the trigger, the argument, its value, and what to give instead.
    """
    with named_as(kind):
        return _declare(kind, {"kind": kind, **arguments}, taken, place, in_file=in_file, folder=folder)


def _declare(
    kind: Kind,
    arguments: Mapping[str, Any],
    taken: Mapping[str, Declaration],
    place: str,
    *,
    in_file: bool,
    folder: Path | None,
) -> Declaration:
    cls = _action_class(arguments)
    own_name = cls.name_in(arguments)
    name = _name(kind, cls, own_name, arguments, taken, place)
    trigger = make_trigger(
        kind,
        name=name,
        policy={field: arguments[field] for field in policy_of(kind)},
        **{field: arguments[field] for field in PLAIN_FIELDS} | _actions(cls, name, arguments, in_file=in_file),
        **_conditions(kind, name, arguments, folder),
    )
    _projects_have_names(trigger.name, arguments)
    _no_tag_is_wanted_and_excluded(trigger)
    _a_limit_has_something_to_abort(trigger)
    function = arguments.get(cls.CODE) if cls.CODE else None
    return Declaration(trigger, function if callable(function) else None, bool(arguments["name"]), place)


def _conditions(kind: Kind, name: str, arguments: Mapping[str, Any], folder: Path | None) -> dict[str, Any]:
    """The arguments that the fields of the condition are named as."""
    given = {field: arguments[field] for field in declared(CLASSES[kind]) if field in arguments}
    if "exclude" in given:
        given["exclude"] = excluded(name, given["exclude"], date.today(), folder)
    return given


def _projects_have_names(trigger: str, arguments: Mapping[str, Any]) -> None:
    for argument in ("trigger_project", "target_project"):
        name = arguments.get(argument)
        if isinstance(name, str) and name and not name.strip("/ \t\n"):
            raise InvalidTrigger(trigger, argument, name, "give the full name of a project, such as 'Team/Training'")


def _a_limit_has_something_to_abort(trigger: Trigger) -> None:
    """Refuse a limit that the original ignores in silence; one that was stored before stays readable."""
    limit = trigger.policy.limit_execution_time
    if limit is not None and not trigger.action.launches:
        way_out = "nothing is launched that could be aborted, and a function runs to its end; leave it out"
        raise InvalidTrigger(trigger.name, "limit_execution_time", limit, way_out)


def _no_tag_is_wanted_and_excluded(trigger: Trigger) -> None:
    """Refuse what nothing can satisfy; a trigger of this kind that is registered already stays readable."""
    excluded = set(trigger.trigger_exclude_tags)
    for argument in ("trigger_on_tags", "trigger_required_tags"):
        if both := sorted(excluded & set(getattr(trigger, argument))):
            way_out = f"{argument} wants {both[0]!r} present, so nothing can fire: remove one of them"
            raise InvalidTrigger(trigger.name, "trigger_exclude_tags", list(trigger.trigger_exclude_tags), way_out)
    if trigger.trigger_on_any_tags and excluded.issuperset(trigger.trigger_on_any_tags):
        way_out = "it has every tag of trigger_on_any_tags, so nothing can fire: remove one of them"
        raise InvalidTrigger(trigger.name, "trigger_exclude_tags", list(trigger.trigger_exclude_tags), way_out)


def _actions(cls: type[DeclaredAction], name: str, arguments: Mapping[str, Any], *, in_file: bool) -> dict[str, Any]:
    """The first action and the others of `actions`, which has all of them where nothing is scheduled."""
    if not cls.WAYS:
        first, others = first_of(arguments[ACTIONS])
        if way_out := problem_of_listed(first):
            raise InvalidTrigger(name, ACTIONS, shown(ACTIONS, arguments[ACTIONS]), way_out)
        return {"action": first, ACTIONS: others}
    return {"action": cls.from_arguments(name, arguments, in_file=in_file), ACTIONS: arguments[ACTIONS]}


def _name(
    kind: Kind,
    cls: type[DeclaredAction],
    own_name: str,
    arguments: Mapping[str, Any],
    taken: Mapping[str, Declaration],
    place: str,
) -> str:
    """The name given, else that of what is launched with a suffix that sets it apart."""
    name = arguments["name"]
    if name and not isinstance(name, str):
        raise InvalidTrigger(own_name or _NAMELESS, "name", name, "give a string")
    if not name and not own_name:
        what = next((way for way in cls.WAYS if arguments[way] not in (None, "")), ACTIONS)
        raise InvalidTrigger(_NAMELESS, "name", name, f"{what} needs a name for the {noun_of(kind)}")
    if name in taken:
        way_out = (
            f"the {phrase_of(kind)} at {place} has the same name as the one at {taken[name].place}; rename one of them"
        )
        raise InvalidTrigger(name, "name", name, way_out)
    return str(name or _free_name(own_name, taken))


def _action_class(arguments: Mapping[str, Any]) -> type[DeclaredAction]:
    """The class of the first action that the arguments give: `DeclaredAction` where it is the first of a list."""
    classes = action_classes().values()
    ways = [way for each in classes for way in each.WAYS]
    given = [way for way in ways if arguments.get(way) not in (None, "", [])]
    if not given and arguments.get(ACTIONS) not in (None, [], ()):
        return DeclaredAction
    if len(given) != 1:
        named = (each.name_in(arguments) for each in classes)
        name = arguments["name"] or next(filter(None, named), _NAMELESS)
        argument = given[-1] if given else ways[0]
        asked = "give only one of the two" if len(given) == 2 else "give exactly one" if given else "give one"
        way_out = f"{asked} of {', '.join(given or (*ways, ACTIONS))}"
        raise InvalidTrigger(str(name), argument, arguments[argument], way_out)
    return next((each for each in classes if given[0] in each.WAYS), DeclaredAction)


def _free_name(base_id: str, taken: Mapping[str, Declaration]) -> str:
    name, number = base_id, 1
    while name in taken:
        number += 1
        name = f"{base_id}-{number}"
    return name
