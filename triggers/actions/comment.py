"""The action that adds a line to the description of an object."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final, Literal

from pydantic import BeforeValidator

from triggers.actions.filling import filling
from triggers.actions.listed import ActsOn, constructor
from triggers.actions.on_object import OnObject
from triggers.base.escaping import in_lines
from triggers.model.values import wrong

if TYPE_CHECKING:
    from triggers.actions.attempt import Attempt
    from triggers.clearml_api.edits import ObjectState

_LONGEST: Final = 4000
#: A description that is longer is left alone.
_LONGEST_COMMENT: Final = 100_000


def _text(value: object) -> str:
    if not isinstance(value, str) or not value.strip() or len(value) > _LONGEST:
        raise wrong(f"give a text of 1 to {_LONGEST} characters", "text", value)
    return value


class Comment(OnObject):
    """Add a line to the description of an object, unless it is there already.

    Args:
        text (str): The line, 1 to 4,000 characters. References such as '${object.name}' are filled in; with
            '${firing.at}' in it, each firing adds a line of its own. A description of more than 100,000 characters
            stays as it is.
        on ('object' | 'launched', default 'object'): What to act on: the object that fired, or the ClearML task that
            the trigger launched for it.

    Raises:
        InvalidAction: An argument is wrong. A `ValueError`; the message names the action and the argument.
    """

    type: Literal["comment"] = "comment"
    text: Annotated[str, BeforeValidator(_text)]

    VERB = ("comment on", "commented on")

    @constructor
    def __init__(self, text: str, *, on: ActsOn = "object") -> None: ...

    def settled(self, state: ObjectState, attempt: Attempt) -> str:
        """Whether the line is there."""
        if f"\n{self._line(attempt)}\n" in f"\n{state.comment}\n":
            return "its description already had this text"
        if len(state.comment) > _LONGEST_COMMENT:
            return f"its description is longer than {_LONGEST_COMMENT:,} characters: nothing was added"
        return ""

    def edit(self, state: ObjectState, attempt: Attempt) -> str:
        """Add the line."""
        lines = [state.comment.rstrip("\n"), self._line(attempt)] if state.comment.strip() else [self._line(attempt)]
        state.set_comment("\n".join(lines))
        return ""

    def _line(self, attempt: Attempt) -> str:
        return in_lines(filling(attempt, self.text).fill(self.text)).strip()
