"""Marks: the system tags by which a launched ClearML task is known and found again."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

#: Beginning of every mark.
MARK_PREFIX: Final = "clearml-triggers:"

SCHEDULER: Final = MARK_PREFIX + "scheduler:"
FIRING: Final = MARK_PREFIX + "firing:"
ATTEMPT: Final = MARK_PREFIX + "attempt:"
#: On the service tasks of a scheduler, one of each start; never on what is launched.
SERVICE: Final = MARK_PREFIX + "service:"
#: On a ClearML task of a person's that is run itself (`reuse_task`): as a draft, too, it is not ours to delete.
REUSED: Final = MARK_PREFIX + "reused"


@dataclass(frozen=True)
class Marks:
    """The three system tags of one attempt's clone.

    `scheduler` is the general mark, on everything that a scheduler ever cloned; `firing` carries the
    idempotency key, which one exact query finds; `attempt` the nonce of the attempt.
    """

    scheduler: str
    firing: str
    attempt: str

    @classmethod
    def of(cls, scheduler: str, firing: str, attempt: str) -> Marks:
        """Make the tags from the scheduler's id, the firing's key and the attempt's nonce."""
        return cls(scheduler_mark(scheduler), firing_mark(firing), ATTEMPT + attempt)

    def tags(self) -> list[str]:
        """Give all three."""
        return [self.scheduler, self.firing, self.attempt]


def is_mark(tag: str) -> bool:
    """Tell whether a system tag is one of ours."""
    return tag.startswith(MARK_PREFIX)


def scheduler_mark(scheduler: str) -> str:
    """Give the general mark of a scheduler."""
    return SCHEDULER + scheduler


def service_mark(scheduler: str) -> str:
    """Give the mark of a scheduler's service tasks."""
    return SERVICE + scheduler


def firing_mark(key: str) -> str:
    """Give the mark that one exact query finds a firing's clones by."""
    return FIRING + key


def value_of(prefix: str, system_tags: Iterable[str]) -> str:
    """Give what the first tag with this prefix says, "" if there is none."""
    return next((tag.removeprefix(prefix) for tag in system_tags if tag.startswith(prefix)), "")
