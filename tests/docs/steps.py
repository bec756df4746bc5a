"""A page as what its reader does: files to save, lines to type, keys to press, and what has to show then.

A block titled `Terminal N` is typed there, `Terminal N shows` is what has to show, any other title with a dot is a file
to save. A sentence "Press **Ctrl-C** in terminal N" is a key.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

ROOT = Path(__file__).parents[2]

_PART = re.compile(
    r"^(?P<fence>`{3,})(?P<language>\w*)[ ]?(?P<options>[^\n]*)\n(?P<text>.*?)^(?P=fence)$"
    r"|Press[ ]\*\*Ctrl-C\*\*[ ]in[ ]terminal[ ](?P<pressed>\d+)",
    re.S | re.M,
)
_SNIPPET = re.compile(r'^--8<-- "([^":]+)"\n?', re.M)


@dataclass(frozen=True)
class Step:
    """One thing that the reader does, or sees."""

    what: Literal["type", "see", "save", "press"]
    where: str
    text: str = ""


@dataclass(frozen=True)
class Block:
    """One block of code as it stands in the page."""

    language: str
    title: str
    text: str

    @property
    def included(self) -> bool:
        """Whether it holds nothing but files of the repository."""
        return not _SNIPPET.sub("", self.text).strip()


def blocks(markdown: str) -> Iterator[Block]:
    """Give the blocks of code of a page."""
    for part in _PART.finditer(markdown):
        if not part["pressed"]:
            yield _block(part)


def steps(markdown: str) -> Iterator[Step]:
    """Give what the reader does, in order."""
    for part in _PART.finditer(re.sub(r"(?<=Ctrl-C\*\*)\s+in\s+terminal\s+", " in terminal ", markdown)):
        if part["pressed"]:
            yield Step("press", part["pressed"])
            continue
        block = _block(part)
        text = _SNIPPET.sub(lambda file: (ROOT / file[1]).read_text(), block.text)
        terminal = re.match(r"Terminal (\d+)( shows)?", block.title)
        if terminal:
            yield Step("see" if terminal[2] else "type", terminal[1], text)
        elif "." in block.title:
            yield Step("save", block.title, text)


def _block(part: re.Match[str]) -> Block:
    title = re.search(r'title="([^"]*)"', part["options"])
    return Block(part["language"], title[1] if title else "", part["text"])
