"""Triggers as objects of the SDK's own classes, for `get_triggers`. Imports the SDK: load it late."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import attr
from clearml.automation import trigger as sdk
from clearml.automation.scheduler import ScheduleJob

from triggers.model.original import to_original
from triggers.model.trigger import Trigger

if TYPE_CHECKING:
    from clearml.automation.trigger import BaseTrigger


def sdk_trigger(trigger: Trigger, function: Callable[..., Any] | None) -> BaseTrigger:
    """Build the SDK's object of a trigger, with the function that it calls."""
    cls: type[BaseTrigger] = getattr(sdk, f"{trigger.kind.title()}Trigger")
    made: BaseTrigger = _made(cls, trigger, function)
    return made


def sdk_schedule(trigger: Trigger, function: Callable[..., Any] | None) -> ScheduleJob:
    """Build the SDK's object of a schedule; of its times it has those that the original's arguments give."""
    return _made(ScheduleJob, trigger, function)


def _made(cls: Any, trigger: Trigger, function: Callable[..., Any] | None) -> Any:
    item = to_original(trigger) | {"base_function": function}
    fields = {field.name for field in attr.fields(cls) if field.init}
    return cls(**{name: value for name, value in item.items() if name in fields})
