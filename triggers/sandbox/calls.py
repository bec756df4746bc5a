"""One call of the API: what a handler is given, how handlers are registered, and how requests are checked.

Fields are declared in one text: `"task! queue ids[]! timestamp*!"` is a required text, a text, a required list of
anything and a required value of any type. Fields that are not declared are not checked.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from . import errors
from .clock import stamp

if TYPE_CHECKING:
    from .state import SandboxState

Json = dict[str, Any]


class Call:
    """One request that is being answered."""

    __slots__ = ("_precise", "_stamp", "body", "caller", "endpoint", "now", "state")

    def __init__(self, state: SandboxState, endpoint: str, body: Json, now: float, caller: str = "") -> None:
        self.state, self.endpoint, self.body, self.now, self.caller = state, endpoint, body, now, caller
        self._stamp = self._precise = ""

    @property
    def stamp(self) -> str:
        """The time of this call as it is stored."""
        if not self._stamp:
            self._stamp = stamp(self.now)
        return self._stamp

    @property
    def precise(self) -> str:
        """The time of this call as the `fields` of an answer have it."""
        if not self._precise:
            self._precise = stamp(self.now, 6)
        return self._precise

    def get(self, field: str, default: Any = None) -> Any:
        """A field of the request; null counts as not given."""
        value = self.body.get(field)
        return default if value is None else value


Handler = Callable[[Call], Json]


@dataclass(frozen=True, slots=True)
class Field:
    """A declared field of a request."""

    name: str
    required: bool
    type: type


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One call that the server knows."""

    name: str
    handler: Handler
    fields: tuple[Field, ...] = ()
    #: first version that has it
    since: tuple[int, int] = (1, 0)
    #: False: answers without credentials
    auth: bool = True


ENDPOINTS: dict[str, Endpoint] = {}
#: calls that were withdrawn, and what to use instead
MOVED = {"models.update_for_task": "tasks.add_or_update_model"}
#: services that the first versions did not have
_SINCE = {"queues": (2, 4), "workers": (2, 4)}


def endpoint(name: str, fields: str = "", *, auth: bool = True) -> Callable[[Handler], Handler]:
    """Register a handler under the name of its call."""
    since = _SINCE.get(name.partition(".")[0], (1, 0))

    def register(handler: Handler) -> Handler:
        ENDPOINTS[name] = Endpoint(name, handler, tuple(map(_field, fields.split())), since, auth)
        return handler

    return register


def _field(text: str) -> Field:
    name = text.rstrip("!")
    kind: type = list if name.endswith("[]") else object if name.endswith("*") else str
    return Field(name.rstrip("[]*"), text.endswith("!"), kind)


def check(fields: tuple[Field, ...], body: Json) -> None:
    """Refuse a request that lacks a field or has one of a wrong type."""
    for field in fields:
        value = body.get(field.name)
        if value is None:
            if field.required:
                null = ": field is required!." if field.name in body else ". field is required!"
                raise errors.invalid_request(f"error for field '{field.name}'{null}")
        elif not isinstance(value, field.type):
            wanted = f'value is wrong, expected type "{field.type.__name__}"'
            raise errors.invalid_request(f"error for field '{field.name}': ({wanted!r}, {value!r}).")
        elif field.name == "ids" and field.required and not value:
            short = "value '[]' length is lower than allowed minimum '1'"
            raise errors.invalid_request(f"error for field 'ids': {short}..")


def new_id() -> str:
    """An id as the server makes them: 32 hexadecimal digits."""
    return uuid4().hex


def many(call: Call, field: str, one: Callable[[str], Json]) -> Json:
    """Do one thing to each of the ids in `field`, twice to a doubled one: what failed does not stop the others."""
    succeeded: list[Json] = []
    failed: list[Json] = []
    for key in call.body[field]:
        try:
            succeeded.append({"id": key, **one(key)})
        except errors.ApiError as error:
            what = {"codes": [error.code, error.subcode], "msg": str(error), "data": error.data}
            failed.append({"id": key, "error": what})
    return {"succeeded": succeeded, "failed": failed}
