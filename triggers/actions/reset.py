"""The action that resets a ClearML task to a draft."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from triggers.actions.on_object import OnObject
from triggers.base.errors import LaunchImpossible

if TYPE_CHECKING:
    from triggers.actions.attempt import Attempt
    from triggers.clearml_api.edits import ObjectState


class Reset(OnObject):
    """Reset a ClearML task that has ended: it becomes a draft, and what its run reported is cleared.

    Args:
        on ('object' | 'launched', default 'object'): What to act on: the object that fired, or the ClearML task that
            the trigger launched for it.

    Raises:
        InvalidAction: An argument is wrong. A `ValueError`; the message names the action and the argument.
    """

    type: Literal["reset"] = "reset"

    SERVES = ("task",)
    VERB = ("reset", "reset")
    LEAVES = "created"
    WANTS_END = True
    CHANGES = frozenset({"status", "metrics"})
    MOVES_STATUS = True

    def settled(self, state: ObjectState, attempt: Attempt) -> str:
        """Whether it is a draft, or runs."""
        if state.status == "created":
            return "it was already a draft"
        if state.status in ("queued", "in_progress"):
            return f"it is {state.status}, and a running task is not reset: abort it first"
        if state.status in ("published", "publishing"):
            raise LaunchImpossible(f"ClearML task {state.id} is published and cannot be reset")
        return ""

    def edit(self, state: ObjectState, attempt: Attempt) -> str:
        """Reset it."""
        state.reset()
        return ""
