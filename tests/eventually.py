"""Waiting in tests: for what happens, never for a time."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def eventually(
    look: Callable[[], T], what: object = "it happens", *, seconds: float = 60.0, told: Callable[[], object] = str
) -> T:
    """Return the first true value of `look`.

    `what` names it in the failure (something callable is asked only then), and `told` explains the failure.
    """
    deadline = time.monotonic() + seconds
    while not (found := look()):
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds:g} s: {what() if callable(what) else what} {told()}")
        time.sleep(0.05)
    return found
