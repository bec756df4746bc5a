"""What verbs draw: rich's console and text, made so that nothing which is shown acts on the terminal.

Text becomes harmless when it is made, while its width still counts; the console checks all that it draws once more.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.style import Style
from rich.text import Text

from triggers.base.escaping import one_line, our_text


class Screen(Console):
    """A console that reads no markup in strings, and draws no character of others that a terminal would act on."""

    def __init__(self, *, stderr: bool = False) -> None:
        super().__init__(highlight=False, markup=False, emoji=False, stderr=stderr)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Draw; what rich itself sends to the terminal is in segments of their own."""
        for text, style, control in super().render(renderable, options):
            yield Segment(text if control else our_text(text), style, control)


class Shown(Text):
    """A line of text. Its parts may hold anything; only `below` begins another line."""

    def __init__(self, words: object, style: str = "", link: str = "") -> None:
        shown: Any = Style.parse(style) + Style(link=one_line(link)) if link else style
        super().__init__(one_line(words), style=shown)

    def append(self, text: Any, style: Any = None) -> Shown:
        """Add words to the line."""
        super().append(text if isinstance(text, Text) else one_line(text), style)
        return self

    def below(self, words: object, style: Any = None) -> Shown:
        """Add a line."""
        super().append("\n")
        return self.append(words, style)
