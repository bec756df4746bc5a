"""The action that takes an object out of the archive."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from triggers.actions.on_object import OnObject
from triggers.model.action import Effect

if TYPE_CHECKING:
    from triggers.actions.attempt import Attempt
    from triggers.clearml_api.edits import ObjectState


class Unarchive(OnObject):
    """Take an object out of the archive.

    Args:
        on ('object' | 'launched', default 'object'): What to act on: the object that fired, or the ClearML task that
            the trigger launched for it.

    Raises:
        InvalidAction: An argument is wrong. A `ValueError`; the message names the action and the argument.
    """

    type: Literal["unarchive"] = "unarchive"

    VERB = ("unarchive", "taken out of the archive")
    CHANGES = frozenset({"system_tags"})

    @property
    def effects(self) -> frozenset[Effect]:
        """It is not in the archive."""
        return frozenset({Effect("archive", "", "no")})

    def settled(self, state: ObjectState, attempt: Attempt) -> str:
        """Whether it is out of it."""
        return "" if state.archived else "it was not in the archive"

    def edit(self, state: ObjectState, attempt: Attempt) -> str:
        """Take it out."""
        state.unarchive()
        return ""
