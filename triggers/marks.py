"""Marks: the system tags by which a launched ClearML task is known and found again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

#: Beginning of every mark.
MARK_PREFIX: Final = "clearml-triggers:"


@dataclass(frozen=True)
class Marks:
    """The three system tags by which a launched ClearML task is found again."""

    trigger: str
    firing: str
    attempt: str

    @classmethod
    def of(cls, trigger: str, firing: str, attempt: str) -> Marks:
        """Make the tags from what identifies the trigger (of its scheduler), the firing and the attempt."""
        return cls(
            f"{MARK_PREFIX}trigger:{trigger}",
            f"{MARK_PREFIX}firing:{firing}",
            f"{MARK_PREFIX}attempt:{attempt}",
        )

    def tags(self) -> list[str]:
        """Give all three."""
        return [self.trigger, self.firing, self.attempt]


def is_mark(tag: str) -> bool:
    """Tell whether a system tag is one of ours."""
    return tag.startswith(MARK_PREFIX)
