"""Numbers with their words, in every text: "1 firing", "2 firings", "2,000 firings"."""

from __future__ import annotations


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
