"""Checks of the constructor's arguments."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager

from triggers.base.errors import Usage


@contextmanager
def speaking_plainly() -> Iterator[None]:
    """Let an argument that is wrong end the script with one line, as every other mistake does."""
    try:
        yield
    except Usage:
        from triggers.client import login  # imported where something is wrong: it brings the ClearML client

        login.speak_plainly()
        raise


def minutes(argument: str, value: object, least: float) -> float | None:
    """Check a number of minutes; None passes."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise Usage(f"{argument}={value!r}: give a number of minutes")
    if value < least or value <= 0:
        bound = "1/60 (one second) or more" if least else "more than 0"
        raise Usage(f"{argument}={value!r}: give {bound} minutes")
    return float(value)


def task_name(argument: str, value: object) -> str | None:
    """Check the name of a ClearML task to be made; None passes."""
    from triggers.model.server_names import problem_of_name  # its package brings what validates triggers

    name = optional_name(argument, value)
    if name and (problem := problem_of_name(name)):
        raise Usage(f"{argument}={value!r}: {problem}; give a longer name or None")
    return name


def optional_name(argument: str, value: object) -> str | None:
    """Check a name; None passes."""
    if value is None or (isinstance(value, str) and value):
        return value
    raise Usage(f"{argument}={value!r}: give a name or None")
