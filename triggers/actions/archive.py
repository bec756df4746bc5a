"""The action that puts an object into the archive."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from triggers.actions.on_object import OnObject
from triggers.model.action import Effect

if TYPE_CHECKING:
    from triggers.actions.attempt import Attempt
    from triggers.clearml_api.edits import ObjectState


class Archive(OnObject):
    """Put an object into the archive. A queued ClearML task leaves its queue by that.

    Args:
        on ('object' | 'launched', default 'object'): What to act on: the object that fired, or the ClearML task that
            the trigger launched for it.

    Raises:
        InvalidAction: An argument is wrong. A `ValueError`; the message names the action and the argument.
    """

    type: Literal["archive"] = "archive"

    VERB = ("archive", "archived")
    CHANGES = frozenset({"system_tags"})

    @property
    def effects(self) -> frozenset[Effect]:
        """It is in the archive."""
        return frozenset({Effect("archive", "", "yes")})

    def settled(self, state: ObjectState, attempt: Attempt) -> str:
        """Whether it is there."""
        return "it was already in the archive" if state.archived else ""

    def edit(self, state: ObjectState, attempt: Attempt) -> str:
        """Put it there."""
        state.archive()
        return ""
