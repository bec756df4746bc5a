"""The action that writes metadata of a model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from pydantic import BeforeValidator

from triggers.actions.filling import filling
from triggers.actions.listed import constructor
from triggers.actions.on_object import OnObject
from triggers.model.action import Effect
from triggers.model.values import wrong

if TYPE_CHECKING:
    from triggers.actions.attempt import Attempt
    from triggers.clearml_api.edits import ObjectState

_MOST: Final = 100


def _metadata(value: Any) -> dict[str, Any]:
    if not isinstance(value, Mapping) or not value or len(value) > _MOST:
        raise wrong(f"give a dictionary with 1 to {_MOST} entries", "metadata", value)
    for key, item in value.items():
        if not isinstance(key, str) or not key.strip():
            raise wrong("keys are texts", "metadata", key)
        if not isinstance(item, (str, int, float, bool)):
            raise wrong(f"the value of {key!r} has to be a text, a number, True or False", "metadata", item)
    return dict(value)


class SetMetadata(OnObject):
    """Write metadata of a model; other entries stay.

    Args:
        metadata (Mapping[str, str | float | bool]): Key → text, number or flag; 1 to 100 entries. References such as
            '${trigger.name}' in texts are filled in.
        on ('object', default 'object'): A launched ClearML task has no metadata, so nothing else can be given.

    Raises:
        InvalidAction: An argument is wrong. A `ValueError`; the message names the action and the argument.
    """

    type: Literal["set_metadata"] = "set_metadata"
    metadata: Annotated[dict[str, Any], BeforeValidator(_metadata)]

    SERVES = ("model",)
    VERB = ("set metadata", "given metadata")

    @constructor
    def __init__(self, metadata: Mapping[str, str | float | bool], *, on: Literal["object"] = "object") -> None: ...

    def words(self) -> str:
        """What it does."""
        return f"set metadata {', '.join(self.metadata)} of the object"

    def details(self) -> str:
        """The keys."""
        return f" {', '.join(self.metadata)}"

    @property
    def effects(self) -> frozenset[Effect]:
        """Its entries have these values."""
        return frozenset(Effect("metadata", key, str(item)) for key, item in self.metadata.items())

    def settled(self, state: ObjectState, attempt: Attempt) -> str:
        """Whether it has all of it."""
        return "" if self._missing(state, attempt) else "it already had this metadata"

    def edit(self, state: ObjectState, attempt: Attempt) -> str:
        """Write what is missing."""
        state.set_metadata(self._missing(state, attempt))
        return ""

    def _missing(self, state: ObjectState, attempt: Attempt) -> list[dict[str, str]]:
        filled = filling(attempt, self.metadata).fill(self.metadata)
        items = ({"key": key, "type": type(item).__name__, "value": str(item)} for key, item in filled.items())
        return [item for item in items if state.metadata.get(item["key"]) != item["value"]]
