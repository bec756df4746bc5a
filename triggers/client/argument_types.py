"""Types of the arguments of `add_*`, for editors and type checkers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypedDict

if TYPE_CHECKING:  # importing this module is cheap
    from triggers.model.firing_info import FiringInfo

Fire = Literal["once", "on_transition", "while_true"]
Overlap = Literal["skip", "queue", "latest", "all", "cancel_previous"]
CatchUp = Literal["last", "all", "none"]
Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
Sign = Literal["max", "maximum", "min", "minimum", "last"]
Direction = Literal["above", "below"]
Status = Literal[
    "created",
    "queued",
    "in_progress",
    "stopped",
    "published",
    "publishing",
    "closed",
    "failed",
    "completed",
    "unknown",
]


class TaskQuery(TypedDict, total=False):
    """Which ClearML task to clone: the newest one that matches every given key.

    Attributes:
        project: Full name of its project; subprojects do not count.
        name: Its exact name.
        tags: Tags that it must have, all of them.
    """

    project: str
    name: str
    tags: Sequence[str]


class FunctionOfFiring(Protocol):
    """A function that also receives the firing; of a schedule, the first argument is its nominal time."""

    def __call__(self, object_id: str, /, *, firing: FiringInfo) -> Any:
        """Act on the object."""


class FunctionOfFiringAlone(Protocol):
    """A function of a schedule that receives the firing, and not the time."""

    def __call__(self, *, firing: FiringInfo) -> Any:
        """Act."""


#: What `schedule_function` takes. What the function returns is ignored.
TriggerFunction = Callable[[str], Any] | FunctionOfFiring
#: The same of a schedule: the text is the nominal time.
ScheduleFunction = Callable[[], Any] | Callable[[str], Any] | FunctionOfFiringAlone | FunctionOfFiring
