"""The table of actions. If several could read one text, the first does; firings are carried out in its order."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from triggers.actions.action import Action
    from triggers.actions.attempt import Attempt


class ActionTable(MutableMapping[str, "type[Action]"]):
    """The classes of actions by their types. Each is imported when it is asked for: most schedulers use a few."""

    def __init__(self, places: dict[str, str]) -> None:
        """Prepare; `places`: by type, the module of this folder and the class in it."""
        self._places: dict[str, str | type[Action]] = {**places}

    def __getitem__(self, type_: str) -> type[Action]:
        place = self._places[type_]
        if isinstance(place, str):
            module, _, name = place.partition(":")
            place = self._places[type_] = getattr(import_module(f"triggers.actions.{module}"), name)
        return place

    def __setitem__(self, type_: str, action: type[Action]) -> None:
        self._places[type_] = action

    def __delitem__(self, type_: str) -> None:
        del self._places[type_]

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)

    def __contains__(self, type_: object) -> bool:
        return type_ in self._places


#: Every action by its type. Nothing else lists them.
ACTIONS: Final = ActionTable(
    {
        "task": "clearml_task:TaskAction",
        "function": "python_function:FunctionAction",
        "webhook": "webhook:Webhook",
        "notify": "notify:Notify",
        "tag": "tag:Tag",
        "publish": "publish:Publish",
        "archive": "archive:Archive",
        "unarchive": "unarchive:Unarchive",
        "abort": "abort:Abort",
        "reset": "reset:Reset",
        "enqueue": "enqueue:Enqueue",
        "dequeue": "dequeue:Dequeue",
        "set_metadata": "set_metadata:SetMetadata",
        "comment": "comment:Comment",
    }
)


def carry_out(attempts: Sequence[Attempt]) -> None:
    """Carry out admitted firings, by kind of action; each attempt that was not done before is done afterwards."""
    for cls in ACTIONS.values():
        of_this = [attempt for attempt in attempts if not attempt.done and type(attempt.action) is cls]
        if of_this:
            cls.carry_out_each(of_this)
