"""The JSON of the original `TaskScheduler`'s configuration section; `original` has that of triggers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from triggers.base.errors import InvalidTrigger
from triggers.model.events import milliseconds

#: What the original's items say in keys of other names than our fields, and when an item is none of ours.
LIMIT: Final = "execution_limit_hours"
START: Final = "starting_time"
#: A schedule that began at the epoch runs at once: so the original writes execute_immediately.
_EPOCH: Final = "1970-01-01T00:00:00+00:00"

_NAMES: Final = (
    "name", "base_task_id", "queue", "target_project", "single_instance", "task_parameters", "task_overrides",
    "clone_task",
)  # fmt: skip


def to_item(written: Mapping[str, Any], fields: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """Write an item.

    Args:
        written: what all items say: name and action.
        fields: the original's key of each of its fields, with the value.
        own: what only this project knows.
    """
    item = {name: written.get(name) for name in _NAMES}
    item |= {name: written[name] for name in written if name not in _LEFT_OUT and name not in item and written[name]}
    item |= {LIMIT: own.get("limit_execution_time"), START: _EPOCH if own.get("execute_immediately") else None}
    item |= {key: list(value) if isinstance(value, tuple) else value for key, value in fields.items()}
    item["weekdays"] = item["weekdays"] or None
    return item | {key: value for key, value in own.items() if key != "limit_execution_time"}


#: Keys that items of triggers have, and those of schedules have not.
_LEFT_OUT: Final = ("project", "last_update")


def from_item(item: Mapping[str, Any]) -> dict[str, Any]:
    """Give an item the keys by which ours are read; what the original left out has its default.

    Raises:
        InvalidTrigger: the time at which it began cannot be read.
    """
    found = dict(item)
    if found.get("limit_execution_time") is None and found.get(LIMIT):  # for the original, 0 means no limit
        found["limit_execution_time"] = found[LIMIT]
    if "execute_immediately" not in found and found.get(START) is not None:
        found["execute_immediately"] = _started_ms(found) <= 0
    if found.get("recurring") is None:
        found["recurring"] = True
    return found


def _started_ms(item: Mapping[str, Any]) -> int:
    try:
        return milliseconds(item[START])
    except (ValueError, TypeError, AttributeError, OverflowError):
        way_out = "give a time in ISO 8601, such as '2026-12-24T18:00:00+00:00', or null"
        raise InvalidTrigger(str(item.get("name")), START, item[START], way_out) from None
