"""A line of text for a pipe or a file: what `screen.Shown` is on a terminal, without rich and its import."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from triggers.base.escaping import one_line

if TYPE_CHECKING:
    from triggers.cli.screen import Shown


class PlainLine:
    """Plain text. Its parts may hold anything; only `below` begins another line."""

    def __init__(self, words: object) -> None:
        self.plain = one_line(words)

    def append(self, text: object, style: Any = None) -> PlainLine:  # noqa: ARG002
        """Add words to the line."""
        self.plain += text.plain if isinstance(text, PlainLine) else one_line(text)
        return self

    def below(self, words: object, style: Any = None) -> PlainLine:  # noqa: ARG002
        """Add a line."""
        self.plain += "\n" + one_line(words)
        return self

    def __str__(self) -> str:
        return self.plain

    def __rich__(self) -> Shown:
        """The same for rich, where a verb draws although standard output is not a terminal."""
        from triggers.cli.screen import Shown

        first, *others = self.plain.split("\n")
        shown = Shown(first)
        for line in others:
            shown.below(line)
        return shown
