"""The action that adds and removes tags of an object."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from pydantic import model_validator

from triggers.actions.filling import filling
from triggers.actions.listed import ActsOn, constructor
from triggers.actions.on_object import OnObject
from triggers.base.escaping import is_safe, one_line
from triggers.model.action import Effect
from triggers.model.values import Names, wrong

if TYPE_CHECKING:
    from triggers.actions.attempt import Attempt
    from triggers.clearml_api.edits import ObjectState
    from triggers.model.events import Event


class Tag(OnObject):
    """Add and remove tags; the object's other tags stay.

    Args:
        add (Sequence[str], default ()): Tags that the object has afterwards. References such as '${trigger.name}' are
            filled in. Give `add`, `remove`, or both.
        remove (Sequence[str], default ()): Tags that the object does not have afterwards; references as in `add`.
        on ('object' | 'launched', default 'object'): What to act on: the object that fired, or the ClearML task that
            the trigger launched for it.

    Raises:
        InvalidAction: An argument is wrong. A `ValueError`; the message names the action and the argument.
    """

    type: Literal["tag"] = "tag"
    add: Names = ()
    remove: Names = ()

    VERB = ("tag", "tagged")

    @constructor
    def __init__(self, add: Sequence[str] = (), remove: Sequence[str] = (), *, on: ActsOn = "object") -> None: ...

    @model_validator(mode="after")
    def _changes_something(self) -> Tag:
        if not self.add and not self.remove:
            raise wrong("give tags to add or to remove, such as add=['checked']", "add", [])
        for tag in (*self.add, *self.remove):
            if tag in self.add and tag in self.remove:
                raise wrong("a tag is either added or removed", "remove", tag)
            if not is_safe(tag) or not tag.strip():
                raise wrong("a tag cannot contain line breaks, control characters or invisible characters", "add", tag)
        return self

    @property
    def effects(self) -> frozenset[Effect]:
        """The tags that are there afterwards, and those that are not."""
        outcomes = {"yes": self.add, "no": self.remove}
        return frozenset(Effect("tag", tag.strip(), outcome) for outcome, of in outcomes.items() for tag in of)

    def details(self) -> str:
        """The tags."""
        changes = [*(f"+{tag}" for tag in self.add), *(f"-{tag}" for tag in self.remove)]
        return f" {' '.join(changes)}"

    def settled(self, state: ObjectState, attempt: Attempt) -> str:
        """Whether it has the tags."""
        add, remove = self._missing(state, attempt)
        return "" if add or remove else "it already had these tags"

    def edit(self, state: ObjectState, attempt: Attempt) -> str:
        """Change them."""
        state.change_tags(*self._missing(state, attempt))
        return ""

    def foreseen(self, event: Event, state: ObjectState, attempt: Attempt) -> Event:
        """With these tags."""
        add, remove = self._missing(state, attempt)
        return replace(event, tags=tuple(dict.fromkeys([*(t for t in event.tags if t not in remove), *add])))

    def _missing(self, state: ObjectState, attempt: Attempt) -> tuple[list[str], list[str]]:
        fills = filling(attempt, [self.add, self.remove])
        wanted, unwanted = ([str(fills.fill(text, one_line)).strip() for text in of] for of in (self.add, self.remove))
        add = [tag for tag in dict.fromkeys(wanted) if tag and tag not in state.tags]
        # a tag that references make one to add stays: else a further try would add what the first one removed
        return add, [tag for tag in dict.fromkeys(unwanted) if tag in state.tags and tag not in wanted]
