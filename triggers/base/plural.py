"""Numbers with their words, in every text: "1 firing", "2 firings", "2,000 firings"."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

#: Names, or lines that are alike, that a text for people has at most; of more, it says how many.
SHOWN_AT_MOST: Final = 50


def word(count: float, one: str, many: str = "") -> str:
    """The word for so many; `many`: where the plural is not the singular with an s."""
    return one if count == 1 else many or f"{one}s"


def plural(count: float, one: str, many: str = "") -> str:
    """A number with its word."""
    shown = f"{count:,}" if isinstance(count, int) else f"{count:g}"
    return f"{shown} {word(count, one, many)}"


def often(count: int) -> str:
    """How often something happened: "once", "2 times"."""
    return "once" if count == 1 else f"{count} times"


def named(names: Iterable[str]) -> str:
    """Names in one line: of thousands, the first ones and how many there are more."""
    found = list(names)
    more = len(found) - SHOWN_AT_MOST
    return ", ".join(found[:SHOWN_AT_MOST]) + (f", and {more:,} more" if more > 0 else "")
