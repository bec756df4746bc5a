"""The book on what a person did to two triggers, and what follows from it for each object. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field

#: the trigger that is paused, edited and resumed, and the one that is retired and declared again
WATCHED, RETURNING = "watched", "returning"


@dataclass(frozen=True)
class Absence:
    """From when to when a trigger was retired, seconds: each began to be so, and was confirmed.

    `ran`: the objects that had run before it began.
    """

    retiring: float
    retired: float
    returning: float
    returned: float
    ran: frozenset[str]


@dataclass
class Book:
    """What a person did.

    Attributes:
        changed: by object, when its change was made, seconds.
        dropped: objects whose held firings were dropped.
        early: objects that changed during a confirmed pause and ran before it was lifted.
        absences: of the trigger that is retired and declared again.
        apart: seconds by which the server's clocks, and what is known of them, differ.
    """

    changed: dict[str, float] = field(default_factory=dict)
    dropped: set[str] = field(default_factory=set)
    early: list[str] = field(default_factory=list)
    absences: list[Absence] = field(default_factory=list)
    apart: float = 0.0

    def range_of(self, kind: str, name: str) -> tuple[int, int]:
        """How often an object of an operated trigger runs, at least and at most."""
        if kind == WATCHED:
            return (0, 0) if name in self.dropped else (1, 1)
        at = self.changed[name]
        for one in self.absences:
            if one.retired <= at <= one.returning - self.apart:
                return 0, 0
            if one.retiring <= at <= one.returned + self.apart:
                return 0, 1  # as near to a registration as the server's clocks differ
            if at < one.retiring and name not in one.ran:
                return 0, 1  # under way when the trigger was retired: what is not launched by then is not
        return 1, 1
