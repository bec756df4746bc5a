"""Hints: a message that says "look" to a stage. The table of stages says which stages take one."""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol

#: A message: the key of its queue in Redis, and how it lies there.
Message = tuple[str, str]


class Hints(Protocol):
    """Says "look" to the next stage. A lost hint costs time, never an event: `reconcile` re-sends it."""

    def send(self, stage: str, scheduler: str, *where: int) -> None:
        """Say that work waits for a stage of a scheduler; `where` is what its row names."""

    def message(self, stage: str, scheduler: str) -> Message | None:
        """The same as it lies in its queue, for a script to send; None where a script cannot."""

    def waiting(self, stage: str, first: int | None = None) -> Collection[str]:
        """The schedulers whose hints to a stage lie in its queue: of all, or of those that are taken first."""


class NoHints:
    """Says nothing: for a process whose work ends where it is; `reconcile` sees the rest."""

    def send(self, stage: str, scheduler: str, *where: int) -> None:
        """Nothing to say."""

    def message(self, stage: str, scheduler: str) -> None:
        """Nothing to say."""

    def waiting(self, stage: str, first: int | None = None) -> Collection[str]:  # noqa: ARG002
        """Nothing lies anywhere."""
        return ()
