"""What became of the firings of one call of a stage, in lines for whoever ran it (Celery shows them as its result)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_collected: ContextVar[list[str] | None] = ContextVar("outcomes", default=None)


@contextmanager
def collected() -> Iterator[list[str]]:
    """The outcomes of all firings that this thread ends in the body, in order."""
    lines: list[str] = []
    token = _collected.set(lines)
    try:
        yield lines
    finally:
        _collected.reset(token)


def note(line: str) -> None:
    """Add an outcome, if somebody collects them. No payloads, no secrets: people read it."""
    lines = _collected.get()
    if lines is not None:
        lines.append(line)
