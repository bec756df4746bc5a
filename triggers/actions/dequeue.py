"""The action that takes a ClearML task out of its queue."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from triggers.actions.on_object import OnObject
from triggers.model.action import Effect

if TYPE_CHECKING:
    from triggers.actions.attempt import Attempt
    from triggers.clearml_api.edits import ObjectState


class Dequeue(OnObject):
    """Take a ClearML task out of its queue: it becomes a draft. One that runs is left alone.

    Args:
        on ('object' | 'launched', default 'object'): What to act on: the object that fired, or the ClearML task that
            the trigger launched for it.

    Raises:
        InvalidAction: An argument is wrong. A `ValueError`; the message names the action and the argument.
    """

    type: Literal["dequeue"] = "dequeue"

    SERVES = ("task",)
    VERB = ("dequeue", "dequeued")
    LEAVES = "created"
    CHANGES = frozenset({"status"})
    MOVES_STATUS = True

    @property
    def effects(self) -> frozenset[Effect]:
        """It waits in no queue."""
        return frozenset({Effect("queue", "", "no")})

    def settled(self, state: ObjectState, attempt: Attempt) -> str:
        """Whether it waits at all."""
        return "" if state.status == "queued" else f"it is {state.status}, in no queue"

    def edit(self, state: ObjectState, attempt: Attempt) -> str:
        """Take it out."""
        state.dequeue()
        return ""
