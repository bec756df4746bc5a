"""Progress: what a thread does that nobody may wait for without end. Calls that leave the process say so here.

A lease that is renewed by another thread would otherwise outlive the work it is held for: a body that hangs keeps
everybody else out for as long as its process lives.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

#: A thread that makes no call for so long hangs, seconds. The longest step between two calls by far is matching a full
#: batch, which takes a few seconds.
PATIENCE_SECONDS: Final = 60.0


class Watched:
    """What a thread has done since it began to be watched. One thread writes, others look."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._until = clock() + PATIENCE_SECONDS

    def note(self, seconds: float) -> None:
        """It does something, which may take so long."""
        self._until = self._clock() + seconds + PATIENCE_SECONDS

    @property
    def hangs(self) -> bool:
        """Whether it has done nothing for too long."""
        return self._clock() > self._until


_watched = threading.local()


@contextmanager
def watch() -> Iterator[Watched]:
    """Watch this thread while the body runs."""
    known: list[Watched] = _watched.__dict__.setdefault("by", [])
    watched = Watched()
    known.append(watched)
    try:
        yield watched
    finally:
        known.remove(watched)


def note(seconds: float = 0.0) -> None:
    """Say that this thread gets somewhere: it begins or has ended something that takes `seconds` at most."""
    for watched in _watched.__dict__.get("by", ()):
        watched.note(seconds)


@contextmanager
def without_end() -> Iterator[None]:
    """What runs in the body may take any time: a function of the user's."""
    note(math.inf)
    try:
        yield
    finally:
        note()
