"""Actions that are given in `actions=[…]`: how a script writes them, and what their texts may refer to."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from typing import Any, ClassVar, Literal, TypeVar, cast

from pydantic import ConfigDict, ValidationError, model_validator

from triggers.actions import texts
from triggers.actions.action import Action
from triggers.actions.sending import secrets
from triggers.base.errors import InvalidAction
from triggers.model.action import ACTIONS, DeclaredAction
from triggers.model.kinds import Kind
from triggers.model.values import wrong

#: Whom an action on an object is about: the object that fired, or the ClearML task that the trigger launched for it.
ActsOn = Literal["object", "launched"]


Init = TypeVar("Init", bound=Callable[..., None])


def constructor(signature: Init) -> Init:
    """Turn the written signature of an action into its constructor, for editors, type checkers and `help()`.

    It is read for what may be given by position. Its body is not carried out, nor are its defaults used: the fields
    have theirs, and validation answers what is wrong in words of its own.
    """
    parameters = list(inspect.signature(signature).parameters.values())[1:]
    positional = [each.name for each in parameters if each.kind is each.POSITIONAL_OR_KEYWORD]

    @wraps(signature)
    def make(self: Listed, *values: Any, **fields: Any) -> None:
        self._make(positional, values, fields)

    # pydantic goes past it when it reads stored fields, so that what is wrong there is an error of the trigger
    make.__pydantic_base_init__ = True  # type: ignore[attr-defined]
    return cast(Init, make)


class Listed(Action):
    """An action of a list. In a script it is made as `Tag(add=["failed"])`, in a file as its fields with a `type`."""

    model_config = ConfigDict(hide_input_in_errors=True)  # a secret may stand where none should

    #: Fields whose texts may refer to secrets.
    SECRETS: ClassVar[frozenset[str]] = frozenset()

    #: Fields whose texts stay as they are.
    LITERAL: ClassVar[frozenset[str]] = frozenset()

    @constructor
    def __init__(self, **fields: Any) -> None: ...

    def _make(self, positional: Sequence[str], values: Sequence[Any], fields: Mapping[str, Any]) -> None:
        """Make it in a script.

        Raises:
            InvalidAction: an argument is wrong.
        """
        name = type(self).__name__
        if len(values) > len(positional):
            raise InvalidAction(name, "arguments", f"at most {len(positional)} can be given by position")
        given = dict(zip(positional, values, strict=False))
        if twice := given.keys() & fields.keys():
            raise InvalidAction(name, min(twice), "is given twice, by position and by name")
        try:
            super().__init__(**given, **fields)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            context = first.get("ctx", {})
            argument = str(context.get("argument") or ".".join(map(str, first["loc"])) or "arguments")
            raise InvalidAction(name, argument, context.get("way_out") or first["msg"]) from None
        argument, way_out = self.unfit()
        if argument:
            raise InvalidAction(name, argument, way_out)

    @model_validator(mode="before")
    @classmethod
    def _has_no_others(cls, values: Any) -> Any:
        """Refuse unknown fields without their values: a secret may stand under a wrong name."""
        if not isinstance(values, Mapping):
            return values
        for name in values:
            if name not in cls.model_fields:
                near = difflib.get_close_matches(str(name), cls.model_fields, 1)
                way_out = f"did you mean {near[0]}?" if near else f"there are {', '.join(cls.own_fields())}"
                raise wrong(f"unknown argument of {cls.__name__}; {way_out}", str(name), secrets.HIDDEN)
        for name, field in cls.model_fields.items():
            if field.is_required() and name not in values:
                raise wrong(f"{cls.__name__} needs it", name, None)
        return values

    @model_validator(mode="after")
    def _refers_to_what_there_is(self) -> Listed:
        self._check_texts(None)
        return self

    @classmethod
    def own_fields(cls) -> list[str]:
        """The arguments that it takes."""
        return [name for name in cls.model_fields if name != "type"]

    def check_for(self, kind: Kind, argument: str = ACTIONS) -> None:
        """Refuse references to what objects of a kind do not have."""
        self._check_texts(kind)

    def _check_texts(self, kind: Kind | None) -> None:
        for name in self.own_fields():
            value = getattr(self, name)
            problem = texts.problem_of(value, kind=kind, secrets=name in self.SECRETS)
            if not problem and name in self.SECRETS:
                problem = secrets.problem_within(value)
            if problem:
                raise wrong(problem, name, secrets.HIDDEN if name in self.SECRETS else value)

    def unfit(self, before: Sequence[DeclaredAction] | None = None) -> tuple[str, str]:
        """A reference where nothing is replaced, or a secret in clear."""
        for name in self.own_fields():
            value = getattr(self, name)
            kept = [value] if name in self.LITERAL else list(texts.keys_in(value))
            if found := next(texts.references(kept), ""):
                where = name if name in self.LITERAL else f"a key of {name}"
                return name, f"${{{found}}} cannot be used here: references are not replaced in {where}; write it out"
        return self.in_clear()

    def in_clear(self) -> tuple[str, str]:
        """An argument that holds a secret where a reference to one belongs, and what to do; ("", "") for none."""
        return "", ""

    @property
    def after_launch(self) -> bool:
        """It waits for the ClearML task that the trigger launches where it acts on it or tells of it."""
        found = (getattr(self, name) for name in self.own_fields())
        return any(each.startswith("launched.") for value in found for each in texts.references(value))
