"""What a trigger does when it fires, as all but the launch itself sees it."""

from __future__ import annotations

import importlib
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final, Literal, get_args

from triggers.base.meant import meant
from triggers.model.frozen import Frozen, built
from triggers.model.kinds import Kind
from triggers.model.parts import shown
from triggers.model.values import wrong

#: Who carries firings out: any dispatch worker (launches and functions that it can import), the process that declared
#: the function, or any worker that takes what is neither (`stages.act`).
Lane = Literal["dispatch", "caller", "act"]
LANES: Final[tuple[Lane, ...]] = get_args(Lane)

#: Where the table of actions is. They are above this layer, so it is found by its name.
_TABLE: Final = "triggers.actions.table"

#: Actions in one list at most.
MOST_ACTIONS: Final = 20

#: Holds actions that no argument of `add_*` spells: in files, in sections.
ACTIONS: Final = "actions"

_A_LIST: Final = "give a list of actions, such as [Webhook('https://…')]; see triggers.actions"


@dataclass(frozen=True, slots=True)
class Need:
    """Something that an action names and the ClearML server has to have; a `project` is made when it is missing."""

    what: Literal["base task", "queue", "project"]
    argument: str
    name: str


@dataclass(frozen=True, slots=True)
class Effect:
    """How an object is after an edit. An edit with another `outcome` for the same `matter` and `name` undoes it.

    Attributes:
        matter: What the edit is about.
        name: The tag, or the key of the metadata; "" where there is but one of the matter.
        outcome: "yes" or "no"; of metadata its value.
    """

    matter: Literal["tag", "metadata", "archive", "queue"]
    name: str
    outcome: str


class DeclaredAction(Frozen, ABC):
    """What a trigger does when it fires, as far as declaring, writing and showing it goes.

    Its fields are what it needs, with their own validation. How it is carried out is in `triggers.actions.action`. A
    method that is not abstract has the answer of an action that only needs its own fields, such as a notification.
    """

    type: str  # a literal of its own in each class: names the action in all that is stored

    #: The earliest version of triggers that can have it.
    SINCE: ClassVar[int] = 3
    #: Arguments of `add_*` of which any that is given means this action; without, it is one of `actions`.
    WAYS: ClassVar[tuple[str, ...]] = ()
    #: The argument of `add_*` behind each field whose name differs from it.
    ARGUMENTS: ClassVar[Mapping[str, str]] = {}
    #: What its arguments without a field are for, by their names.
    DESCRIPTIONS: ClassVar[Mapping[str, str]] = {}
    #: Its keys in an item of the original's configuration section that only this project knows.
    KEYS: ClassVar[tuple[str, ...]] = ()
    #: Keys of the original by which an item is about it.
    ORIGINAL_KEYS: ClassVar[tuple[str, ...]] = ()
    #: The argument that hands over code, which only scripts may do: "" for none.
    CODE: ClassVar[str] = ""

    # -- what depends on it elsewhere
    @property
    def lane(self) -> Lane:
        """Who carries it out."""
        return "act"

    @property
    def receiver(self) -> str:
        """The host that it sends to, of which at most two are under way at a time; "" for the ClearML server."""
        return ""

    @property
    def launches(self) -> bool:
        """Whether it puts a ClearML task into a queue, for which other actions of the trigger can wait."""
        return False

    @property
    def after_launch(self) -> bool:
        """Whether it acts on, or tells of, the ClearML task that the trigger launches, and so waits for it."""
        return False

    @property
    def edits_object(self) -> bool:
        """Whether it edits the object that fired, which is a change that triggers see."""
        return False

    @property
    def effects(self) -> frozenset[Effect]:
        """What it makes of the object that fired, if it edits that, else of the ClearML task that was launched."""
        return frozenset()

    @property
    def runs_itself(self) -> str:
        """The ClearML task that is run itself, so that its slot is needed; "" for none."""
        return ""

    @property
    def imported(self) -> str:
        """What workers import for it, as "module:qualname"; "" for nothing."""
        return ""

    @property
    def base_task(self) -> str:
        """The ClearML task that launches start from, which nothing may delete; "" for none or a query."""
        return ""

    @property
    def clones(self) -> bool:
        """Whether it makes ClearML tasks of its own, which are found again by their tags."""
        return False

    def check_for(self, kind: Kind, argument: str = ACTIONS) -> None:
        """Refuse, by `wrong`, what a trigger of this kind cannot carry out; `argument`: the list that it stands in."""

    def unfit(self, before: Sequence[DeclaredAction] | None = None) -> tuple[str, str]:
        """An argument that no new trigger may have, as a secret in clear, and what to do; ("", "") for none.

        What was stored before with such an argument is still read.

        Args:
            before: the trigger's actions before this one; None while they are unknown.
        """
        return "", ""

    def needs(self) -> list[Need]:
        """What the server has to have."""
        return []

    # -- how it is declared and written
    @classmethod
    def name_in(cls, arguments: Mapping[str, Any]) -> str:
        """The name of a trigger that is given none, "" when it has to be given one.

        Raises:
            InvalidTrigger: what would name it is wrong.
        """
        return ""

    @classmethod
    def from_arguments(cls, name: str, arguments: Mapping[str, Any], *, in_file: bool) -> Mapping[str, Any]:
        """Read its fields from the arguments of an `add_*` call, which has one of `WAYS`.

        Args:
            name: of the trigger.
            arguments: all of them by name.
            in_file: they stand in a file of triggers, where functions are named.

        Raises:
            InvalidTrigger: names the argument, its value, and what to give instead.
        """
        raise NotImplementedError

    def to_arguments(self, name: str) -> dict[str, Any]:
        """The arguments of an `add_*` call that declare it for the trigger of that name."""
        return {ACTIONS: [self.form()]}

    @classmethod
    def from_original(cls, item: Mapping[str, Any]) -> dict[str, Any] | None:
        """Read its fields from an item of the original's configuration section; None if the item is not about it."""
        return None

    def to_original(self) -> dict[str, Any]:
        """Its keys in an item of the original's configuration section."""
        return {ACTIONS: [self.form()]}

    def problem_of_edit(self, registered: DeclaredAction | None) -> str:
        """Why a section may not say this of a trigger that has `registered` so far; "" if it may."""
        return ""

    def problem_of_file(self) -> str:
        """Why no file of triggers can declare this, and what to give instead; "" if one can."""
        return ""

    def form(self) -> dict[str, Any]:
        """Its fields as plain values, without those that have their default."""
        return {"type": self.type, **self.model_dump(mode="json", exclude_defaults=True, exclude={"type"})}

    # -- how it is shown
    @abstractmethod
    def words(self) -> str:
        """What it does, beginning with a verb: "clone ClearML task 4f2a into queue default"."""

    @property
    def label(self) -> str:
        """What names it to people in an error."""
        return self.type

    @property
    def cell(self) -> str:
        """What stands for it in the table of launches, where a launch shows the id of its ClearML task."""
        return self.type

    @property
    def done(self) -> str:
        """That it was carried out, in words that follow "it fired yesterday: "."""
        return f"{self.type} was carried out"

    def columns(self) -> dict[str, Any]:
        """Columns of the service task's tables that differ from its form in the original."""
        return {}

    def console_line(self, name: str, task: str) -> str:
        """The line of the service task's console when trigger `name` did it; `task`: launched, "" for none."""
        return f"Trigger {name}: {self.done}" if not task else unknown_console_line(name, task)

    # -- beside the original, in shadow mode
    def launch_of_original(self, kind: Kind, task: Mapping[str, Any]) -> str | None:
        """The id of the object that the original launched this ClearML task for, "" if unknown; None: not for it."""
        return None


def unknown_console_line(name: str, task: str) -> str:
    """The line of the console for what a trigger did before its action was edited."""
    if task:
        return f"Scheduling Job {name}, Task {task} on queue unknown."
    return f"Scheduling Job '{name}', Task 'unknown' on background thread"


def action_classes() -> Mapping[str, type[DeclaredAction]]:
    """The table of actions, by their types."""
    table: Mapping[str, type[DeclaredAction]] = importlib.import_module(_TABLE).ACTIONS
    return table


def read_action(value: Any) -> Any:
    """Read an action from its fields, by their `type`; an action stays as it is."""
    if isinstance(value, DeclaredAction):
        return value
    if not isinstance(value, Mapping):
        raise wrong(_A_LIST, ACTIONS, shown(ACTIONS, value))
    classes = action_classes()
    name = value.get("type")
    if not isinstance(name, str) or name not in classes:
        listed = [type_ for type_, each in classes.items() if not each.WAYS]
        raise wrong(f"give an action of type {', '.join(map(repr, listed))}{meant(name, classes)}", "type", name)
    return built(classes[name]).model_validate(dict(value))


def read_actions(value: Any) -> Any:
    """Read a list of actions that no argument of `add_*` of their own spells."""
    if value is None:
        return ()
    if not isinstance(value, (list, tuple)):
        raise wrong(_A_LIST)
    for each in value:
        if way_out := problem_of_listed(each):
            raise wrong(way_out)
    read = tuple(map(read_action, value))
    if len(read) > MOST_ACTIONS:
        raise wrong(f"at most {MOST_ACTIONS} actions can be given")
    return read


def problem_of_listed(action: Any) -> str:
    """Why no list may have an action, which an argument of its own spells, and what to give; "" if one may."""
    classes = action_classes()
    type_ = action.get("type") if isinstance(action, Mapping) else getattr(action, "type", "")
    ways = classes[type_].WAYS if isinstance(type_, str) and type_ in classes else ()
    return f"give {ways[0]} instead: it is the first action" if ways else ""


def first_of(actions: Any) -> tuple[Any, Any]:
    """The first action of a list, and the others; what is not a list is read as an action, which says what is wrong."""
    return (actions[0], actions[1:]) if isinstance(actions, (list, tuple)) and actions else (actions, ())


def argument_of(field: str) -> str:
    """The argument of `add_*` behind a field."""
    known = {"project_id": "trigger_project"}
    for each in action_classes().values():
        known |= each.ARGUMENTS
    return known.get(field, field)
