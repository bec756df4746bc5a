"""The table of actions. If several could read one text, the first does; firings are carried out in its order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from triggers.actions.action import Action
from triggers.actions.clearml_task import TaskAction
from triggers.actions.python_function import FunctionAction

if TYPE_CHECKING:
    from triggers.actions.attempt import Attempt

#: Every action by its type. Nothing else lists them.
ACTIONS: Final[dict[str, type[Action]]] = {
    "task": TaskAction,
    "function": FunctionAction,
}


def carry_out(attempts: Sequence[Attempt]) -> None:
    """Carry out admitted firings, by kind of action; each attempt that was not done before is done afterwards."""
    for cls in ACTIONS.values():
        of_this = [attempt for attempt in attempts if not attempt.done and type(attempt.action) is cls]
        if of_this:
            cls.carry_out_each(of_this)
