"""What failed tests print where CI keeps little: of long messages and outputs the beginning and the end."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pytest

#: Lines of one text that are kept. The end is longer: logs end with what went wrong.
HEAD, TAIL = 25, 40


def shorten(report: pytest.TestReport) -> None:
    """Cut what a failed test says, in place."""
    for lines in _tracebacks(report.longrepr):
        lines[:] = cut(lines)
    if place := getattr(report.longrepr, "reprcrash", None):
        place.message = place.message.partition("\n")[0]  # in CI pytest's summary repeats all of it
    report.sections = [(name, "\n".join(cut(text.splitlines()))) for name, text in report.sections]


def cut(lines: Sequence[str]) -> list[str]:
    """These lines, or their beginning and end with how many were left out between them."""
    if len(lines) <= HEAD + TAIL + 1:
        return list(lines)
    return [*lines[:HEAD], f"... {len(lines) - HEAD - TAIL} lines are left out ...", *lines[-TAIL:]]


def _tracebacks(told: Any) -> Iterator[list[str]]:
    """The lines of each entry; what pytest keeps in another form is short."""
    for traceback, *_ in getattr(told, "chain", ()):
        for entry in traceback.reprentries:
            yield entry.lines
