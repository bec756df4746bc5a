"""Where a page of a list goes on: cursors, which people get in an address and send back as they like."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from triggers.base.errors import Usage

_PLACE: Final = re.compile(r"(-?\d{1,17}(?:\.\d{1,9})?) ([\w.-]{1,300})", re.ASCII)
_ENTRY: Final = re.compile(r"(\d{1,20})-(\d{1,20})", re.ASCII)
_LARGEST: Final = 2**64 - 1
#: Characters of a cursor that a message repeats.
_SHOWN: Final = 60


@dataclass(frozen=True, slots=True)
class RankPlace:
    """Behind a member of a sorted set, which may be gone by now."""

    score: float
    key: str

    def __str__(self) -> str:
        return f"{self.score!r} {self.key}"

    @classmethod
    def of(cls, text: str) -> RankPlace:
        """Read one.

        Raises:
            Usage: it is not a cursor of such a list.
        """
        found = _PLACE.fullmatch(text)
        if found is None:
            raise _no_place(text)
        return cls(float(found[1]), found[2])


def entry_order(text: str) -> tuple[int, int]:
    """The order of an entry of a stream by its id.

    Raises:
        Usage: it is not an id of an entry.
    """
    found = _ENTRY.fullmatch(text)
    if found is None or max(order := (int(found[1]), int(found[2]))) > _LARGEST:
        raise _no_place(text)
    return order


def _no_place(text: str) -> Usage:
    shown = text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
    return Usage(f"{shown!r} is not a place in this list: follow the links between its pages")
