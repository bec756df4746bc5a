"""The action that calls a Python function: in the process that declared it, or on any dispatch worker.

A function cannot carry a key, so it is called at least once: a process that dies inside the call leads to a second
one. The function receives the firing if it has a parameter of that name.
"""

from __future__ import annotations

import re
import traceback
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from pydantic import Field

from triggers.actions import functions
from triggers.actions.action import Action
from triggers.base import progress
from triggers.base.errors import InvalidTrigger
from triggers.base.logs import USERS_CODE, logger
from triggers.model import action as model
from triggers.model.action import Lane, unknown_console_line
from triggers.model.schedule_fields import SCHEDULE
from triggers.model.values import Text

if TYPE_CHECKING:
    from triggers.actions.attempt import Attempt

log = logger(__name__)

_REFERENCE: Final = re.compile(r"[\w.]+:[\w.]+")
#: Arguments that change the ClearML task to be launched, so that they have no effect on a function.
_OF_TASKS: Final = ("task_parameters", "task_overrides", "reuse_task")


class FunctionAction(Action):
    """Call a Python function with the object's id."""

    type: Literal["function"] = "function"
    name: str = ""  # for people
    #: "module:qualname"; None: only the process that declared it can call it
    reference: Annotated[
        Text,
        Field(
            description="Function to call with the id of the object instead of launching a ClearML task. If it has a "
            "parameter `firing`, it also gets a `FiringInfo`. It can be called more than once for one firing: when it "
            "raises, and when its process dies."
        ),
    ] = None

    SINCE = 1
    WAYS = ("schedule_function",)
    ARGUMENTS = {"reference": "schedule_function"}  # noqa: RUF012 (a mapping of the class, as its base says)
    DESCRIPTIONS = {  # noqa: RUF012
        "function_workers": "Call the function on any dispatch worker, not in the process of the script. Workers must "
        "be able to import it, and TRIGGERS_FUNCTION_MODULES must name its module."
    }
    KEYS = ("function", "function_reference")
    CODE = "schedule_function"

    @property
    def lane(self) -> Lane:
        """Without a reference only the process that declared the function has it."""
        return "caller" if self.reference is None else "dispatch"

    @property
    def imported(self) -> str:
        """The function, where workers call it."""
        return self.reference or ""

    # -- how it is declared and written
    @classmethod
    def from_arguments(cls, name: str, arguments: Mapping[str, Any], *, in_file: bool) -> dict[str, Any]:
        """Read the function, which is named in a file and given as such in a script."""
        function, workers = arguments["schedule_function"], arguments["function_workers"]
        named = in_file and isinstance(function, str)
        problem = "" if named else _problem_of(function, arguments.get("kind"))
        if problem:
            raise InvalidTrigger(name, "schedule_function", function, problem)
        for argument in _OF_TASKS:
            if arguments[argument]:
                raise InvalidTrigger(name, argument, arguments[argument], "has no effect on a function; leave it out")
        if not isinstance(workers, bool):
            raise InvalidTrigger(name, "function_workers", workers, "give True or False")
        reference = None
        if workers:
            reference = _named_reference(name, function) if named else _reference(name, function)
        shown = function.replace(":", ".") if named else functions.display_name(function)
        return {"type": "function", "name": shown, "reference": reference}

    def to_arguments(self, name: str) -> dict[str, Any]:
        """The arguments of an `add_*` call that declare it."""
        workers = self.reference is not None
        return {"schedule_function": self.reference or self.name, "function_workers": workers, "add_tag": True}

    @classmethod
    def from_original(cls, item: Mapping[str, Any]) -> dict[str, Any]:
        """The original leaves functions out: an item without a base task calls one that a script declares."""
        name, reference = item.get("function") or "", item.get("function_reference")
        return {"type": "function", "name": name, "reference": reference}

    def to_original(self) -> dict[str, Any]:
        """Its keys in the original's item."""
        own = {"function": self.name or None, "function_reference": self.reference}
        return {key: value for key, value in own.items() if value is not None}

    def problem_of_file(self) -> str:
        """Only an importable function has a name in a file."""
        if self.reference is not None:
            return ""
        return "only the script that declares it can call it; name it as module:function with function_workers: true"

    def problem_of_edit(self, registered: model.DeclaredAction | None) -> str:
        """Code comes from scripts alone."""
        if not isinstance(registered, FunctionAction):
            return (
                "base_task_id=None: without a task an entry calls a function, and the script declares none of this name"
            )
        if self.reference != registered.reference:
            return f"function_reference={self.reference!r}: functions are changed in the script only"
        return ""

    # -- how it is shown
    def words(self) -> str:
        """What it does."""
        where = "on any dispatch worker" if self.reference else "in the process of the script"
        return f"call {self.reference or self.name or 'a function'} {where}"

    @property
    def label(self) -> str:
        """Its name."""
        return self.name

    @property
    def cell(self) -> str:
        """What the table of launches has always shown."""
        return "function"

    @property
    def done(self) -> str:
        """That it was called."""
        return "the function was called"

    def columns(self) -> dict[str, Any]:
        """The function's name, and no word on cloning."""
        return {"base_function": self.name, "clone_task": ""}

    def console_line(self, name: str, task: str) -> str:
        """The original's line."""
        if task:  # launched before this was edited
            return unknown_console_line(name, task)
        return f"Scheduling Job '{name}', Task '{self.name}' on background thread"

    # -- how it is carried out
    def carry_out(self, attempt: Attempt) -> None:
        """Call it; what it raises is a failure with its traceback.

        `SystemExit` and others that are not an `Exception` too: here they end a thread, and nobody would hear of them.
        """
        if attempt.lane == "dispatch":
            from triggers.actions.launching.permissions import check_function

            function = check_function(attempt, self.reference or "")
        elif attempt.function is None:
            attempt.fail("the process that serves this scheduler did not declare its function")
            return
        else:
            function = attempt.function
        try:
            with progress.without_end():
                if attempt.trigger.kind == SCHEDULE:
                    functions.call_at(function, attempt.event.at, attempt.described())
                else:
                    functions.call(function, attempt.firing.object, attempt.described())
        except BaseException as failure:
            log.exception("trigger %r: its function failed", attempt.trigger.name, extra={USERS_CODE: True})
            attempt.fail(f"{type(failure).__name__}: {failure}\n{traceback.format_exc(limit=-5)}")
        else:
            attempt.launched("")

    def pretend(self, attempt: Attempt) -> None:
        """Say which."""
        attempt.shadow(f"would call {self.name}")


def _problem_of(function: object, kind: object) -> str:
    if kind == SCHEDULE:
        return functions.problem_at(function) if callable(function) else "give a function"
    return functions.problem_of(function) if callable(function) else "give a function that takes the object's id"


def _named_reference(name: str, function: str) -> str:
    """A function is named, not imported: only workers have to be able to."""
    if not _REFERENCE.fullmatch(function):
        raise InvalidTrigger(name, "schedule_function", function, "write it as module:function")
    return function


def _reference(name: str, function: functions.Function) -> str:
    try:
        return functions.reference_of(function)
    except ValueError as error:
        way_out = f"{error}; with function_workers=True workers have to be able to import it"
        raise InvalidTrigger(name, "schedule_function", function, way_out) from error
