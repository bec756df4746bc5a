"""What each argument of `add_*` is for, as its field declares it: the source of docstrings and of the JSON schema."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from pydantic import BaseModel

from triggers.model.action import Policy, action_classes
from triggers.model.kinds import Kind
from triggers.model.trigger import CLASSES

#: Stands in a description for the reference to the id of the object: "${model.id}" for models.
_REFERENCE: Final = "${kind.id}"


def description(kind: Kind, argument: str) -> str:
    """Describe an argument of `add_<kind>_trigger`; "" if nothing declares it."""
    return next(filter(None, _found(kind, argument)), "").replace(_REFERENCE, f"${{{kind}.id}}")


def _found(kind: Kind, argument: str) -> Iterator[str]:
    yield _of_field(CLASSES[kind], argument)
    yield _of_field(Policy, argument)
    for action in action_classes().values():
        behind = [field for field, name in action.ARGUMENTS.items() if name == argument]
        yield _of_field(action, behind[0] if behind else argument)
        yield action.DESCRIPTIONS.get(argument, "")


def _of_field(model: type[BaseModel], name: str) -> str:
    field = model.model_fields.get(name)
    return (field.description or "") if field else ""
