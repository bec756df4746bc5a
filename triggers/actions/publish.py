"""The action that publishes an object."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

from triggers.actions.on_object import OnObject
from triggers.base.errors import LaunchImpossible

if TYPE_CHECKING:
    from triggers.actions.attempt import Attempt
    from triggers.clearml_api.edits import ObjectState

#: Statuses from which a ClearML task can be published.
_ENDED: Final = frozenset({"stopped", "failed", "completed", "closed"})


class Publish(OnObject):
    """Publish a model, or a ClearML task or dataset that has ended. A task takes its output models with it.

    Args:
        on ('object' | 'launched', default 'object'): What to act on: the object that fired, or the ClearML task that
            the trigger launched for it.

    Raises:
        InvalidAction: An argument is wrong. A `ValueError`; the message names the action and the argument.
    """

    type: Literal["publish"] = "publish"

    VERB = ("publish", "published")
    LEAVES = "published"
    WANTS_END = True
    CHANGES = frozenset({"status", "ready"})

    def settled(self, state: ObjectState, attempt: Attempt) -> str:
        """Whether it is published, or can be."""
        if state.status == "published":
            return "it was already published"
        if state.collection == "tasks" and state.status not in _ENDED:
            raise LaunchImpossible(
                f"ClearML task {state.id} is {state.status}, and only one that has ended can be published; "
                "have the trigger fire once it has, then retry the dead letter"
            )
        return ""

    def edit(self, state: ObjectState, attempt: Attempt) -> str:
        """Publish it."""
        state.publish()
        return ""
