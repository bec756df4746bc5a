"""ClearML's TriggerScheduler as a distributed worker system. Importing it starts nothing, asks no server.

In a script that parses arguments `TriggerScheduler` brings the SDK, as the original does: the SDK records and replaces
arguments only if it is imported before the script parses them. Which of the two is imported first does not matter.
Else the SDK is imported when it is needed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from triggers.base.errors import InvalidTrigger
    from triggers.client.scheduler import TriggerScheduler
    from triggers.client.task_scheduler import TaskScheduler
    from triggers.model.firing_info import FiringInfo

__all__ = ["FiringInfo", "InvalidTrigger", "TaskScheduler", "TriggerScheduler"]


if not TYPE_CHECKING:  # to a type checker a name that is not here is an error

    def __getattr__(name: str) -> Any:
        if name == "TriggerScheduler":
            from triggers.client.parser_hook import bring_the_sdk
            from triggers.client.scheduler import TriggerScheduler

            bring_the_sdk()

            return TriggerScheduler
        if name == "TaskScheduler":
            from triggers.client.parser_hook import bring_the_sdk
            from triggers.client.task_scheduler import TaskScheduler

            bring_the_sdk()

            return TaskScheduler
        if name == "FiringInfo":
            from triggers.model.firing_info import FiringInfo

            return FiringInfo
        if name == "InvalidTrigger":
            from triggers.base.errors import InvalidTrigger

            return InvalidTrigger
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
