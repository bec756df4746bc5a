"""Standard output and standard error: every line that any process of this project prints goes through here."""

from __future__ import annotations

import sys
import threading
from typing import Any, TextIO

from triggers.base.escaping import in_cells, in_lines, json_text, one_line, our_text


def say(*lines: object, error: bool = False) -> None:
    """Print lines for people, at once; each stays one line whatever it holds."""
    _erase_renewed()
    for line in lines:
        _print(one_line(line), sys.stderr if error else None)


def say_problem(text: object) -> None:
    """Print an error, which may have several lines, to standard error."""
    _erase_renewed()
    _print(in_lines(text), sys.stderr)


def say_row(cells: str) -> None:
    """Print a row whose cells are between tabs."""
    _print(in_cells(cells))


def say_page(text: str, *, end: str = "\n") -> None:
    """Print a text of several lines that this program made: a generated page, a file, lines for a shell."""
    _print(our_text(text), end=end)


def say_json(value: Any, *, indent: int | None = None, ascii_only: bool = False, file: TextIO | None = None) -> None:
    """Print one JSON document, with `indent` over several lines."""
    _print(json_text(value, indent=indent, ascii_only=ascii_only), file)


def _print(text: str, file: TextIO | None = None, *, end: str = "\n") -> None:
    """Print in one write, the end of the line included: other threads and processes write to the same place."""
    print(text + end, end="", file=file, flush=True)


#: Whether the cursor stands in a line that is renewed in place, which other lines have to take the place of.
_renewed = threading.Event()


def renew(line: object) -> None:
    """Put a line in place of the one that the cursor stands in, on standard error."""
    _renewed.set()
    print(f"\r\x1b[K{one_line(line)}", end="", file=sys.stderr, flush=True)


def end_renewed() -> None:
    """Go on below a line that was renewed."""
    _renewed.clear()
    print(file=sys.stderr, flush=True)


def _erase_renewed() -> None:
    if _renewed.is_set():
        _renewed.clear()
        print("\r\x1b[K", end="", file=sys.stderr, flush=True)
