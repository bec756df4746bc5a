"""Launch tags: the system tags by which a launched ClearML task is known and found again."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

#: Beginning of every launch tag.
PREFIX: Final = "clearml-triggers:"

SCHEDULER: Final = PREFIX + "scheduler:"
FIRING: Final = PREFIX + "firing:"
ATTEMPT: Final = PREFIX + "attempt:"
#: On the service tasks of a scheduler, one of each start; never on what is launched.
SERVICE: Final = PREFIX + "service:"
#: On a ClearML task of a person's that is run itself (`reuse_task`): as a draft, too, it is not ours to delete.
REUSED: Final = PREFIX + "reused"


@dataclass(frozen=True)
class LaunchTags:
    """The three system tags of one attempt's clone.

    `scheduler` is the general tag, on everything that a scheduler ever cloned; `firing` carries the
    idempotency key, which one exact query finds; `attempt` the nonce of the attempt.
    """

    scheduler: str
    firing: str
    attempt: str

    @classmethod
    def of(cls, scheduler: str, firing: str, attempt: str) -> LaunchTags:
        """Make the tags from the scheduler's id, the firing's key and the attempt's nonce."""
        return cls(scheduler_tag(scheduler), firing_tag(firing), ATTEMPT + attempt)

    def tags(self) -> list[str]:
        """Give all three."""
        return [self.scheduler, self.firing, self.attempt]


def is_launch_tag(tag: str) -> bool:
    """Tell whether a system tag is one of ours."""
    return tag.startswith(PREFIX)


def scheduler_tag(scheduler: str) -> str:
    """Give the general tag of a scheduler."""
    return SCHEDULER + scheduler


def service_tag(scheduler: str) -> str:
    """Give the tag of a scheduler's service tasks."""
    return SERVICE + scheduler


def is_service_task(tags: Iterable[str]) -> bool:
    """Tell whether an object with these system tags is the service task of any scheduler."""
    return any(tag.startswith(SERVICE) for tag in tags)


def firing_tag(key: str) -> str:
    """Give the tag that one exact query finds a firing's clones by."""
    return FIRING + key


def value_of(prefix: str, system_tags: Iterable[str]) -> str:
    """Give what the first tag with this prefix says, "" if there is none."""
    return next((tag.removeprefix(prefix) for tag in system_tags if tag.startswith(prefix)), "")
