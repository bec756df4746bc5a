"""Wrap the lines of a page at 120 columns: `python -m tests.texts.wrap FILE...`. Tables, code and headings stay."""

from __future__ import annotations

import re
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

from tests.texts.length import COLUMNS

#: A line that begins a paragraph of its own: a bullet, a number, a quotation, or text.
_BEGIN = re.compile(r"^( *)((?:[-*+]|\d+\.) +|> ?)?(?=\S)")
#: Lines that stay as they are, and end a paragraph.
_KEPT = re.compile(r"^(?:\||#| {4,}|\t|<|!\[|:|---|\[[^\]]+\]:|!!!|===)|^\s*$|  $")


def wrapped(text: str) -> str:
    """The page with each paragraph that has a line that is too long laid out anew."""
    return "\n".join(_lines(text.split("\n")))


def _lines(lines: list[str]) -> Iterator[str]:
    paragraph: list[str] = []
    in_code = False
    for line in lines:
        fence = line.lstrip().startswith("```")
        begins = bool((found := _BEGIN.match(line)) and found[2])
        inside = bool(paragraph) and line.startswith("  ") and line.strip() != ""
        kept = in_code or fence or (bool(_KEPT.search(line)) and not (inside and not line.lstrip().startswith("|")))
        if kept or begins:
            yield from _paragraph(paragraph)
            paragraph = []
        if kept:
            yield line
        else:
            paragraph.append(line)
        in_code ^= fence
    yield from _paragraph(paragraph)


def _paragraph(lines: list[str]) -> Iterator[str]:
    if max(map(len, lines), default=0) <= COLUMNS:
        yield from lines
        return
    begin = _BEGIN.match(lines[0])
    first = begin[0] if begin else ""
    rest = " " * len(first) if not first.strip().startswith(">") else first
    body = " ".join([lines[0][len(first) :], *(line.strip() for line in lines[1:])])
    yield from textwrap.wrap(
        body, COLUMNS, initial_indent=first, subsequent_indent=rest, break_long_words=False, break_on_hyphens=False
    )


def main() -> None:
    """Wrap the files that are named."""
    for name in sys.argv[1:]:
        path = Path(name)
        path.write_text(wrapped(path.read_text("utf-8")), "utf-8")


if __name__ == "__main__":
    main()
