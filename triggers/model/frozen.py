"""Values that are never changed: what a trigger is made of."""

from __future__ import annotations

import threading
from functools import lru_cache
from typing import Any, Final, TypeVar

from pydantic import BaseModel, ConfigDict


class Frozen(BaseModel):
    """Base of all parts of a trigger: a value that is never changed, and refuses what it does not know."""

    # what is wrong may be a secret that stands in clear; our own messages show what may be shown
    # most processes use a few of the kinds and actions that there are: `built` makes those ready
    model_config = ConfigDict(
        frozen=True, extra="forbid", ser_json_inf_nan="constants", hide_input_in_errors=True, defer_build=True
    )

    def model_post_init(self, _context: Any) -> None:
        """Share the set of the fields that were given, which is a fifth of a trigger's memory and never changes."""
        object.__setattr__(self, "__pydantic_fields_set__", _given(frozenset(self.__pydantic_fields_set__)))


_BUILDING: Final = threading.Lock()

M = TypeVar("M", bound=Frozen)


def built(model: type[M]) -> type[M]:
    """Make the validation of a class ready, once: two threads that need it first would get in each other's way."""
    if not model.__pydantic_complete__:
        with _BUILDING:
            if not model.__pydantic_complete__:
                model.model_rebuild()
    return model


@lru_cache(maxsize=1_000)
def _given(names: frozenset[str]) -> set[str]:
    """One set for all values that were given the same fields."""
    return set(names)
