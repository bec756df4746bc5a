"""Reading the console of a ClearML task: its newest lines."""

from __future__ import annotations

from typing import Any, Final

from triggers.base.errors import Refused
from triggers.base.logs import logger
from triggers.clearml_api.answers import objects
from triggers.clearml_api.connection import Api

log = logger(__name__)

#: Console events that are read at most, the newest.
MOST: Final = 5_000
_READ: Final = "events.get_task_log"


def read(api: Api, task_id: str) -> list[tuple[int, str]]:
    """Read the newest lines of a task's console, each with when it was reported, ms; in no order. One request.

    A server that refuses to show them has none.
    """
    query = {"task": task_id, "batch_size": MOST, "navigate_earlier": True, "order": "desc"}
    try:
        found = objects(_READ, api.call(_READ, query).data, "events")
    except Refused as refused:
        log.warning("cannot read the console of ClearML task %s: %s", task_id, refused)
        return []
    return [(_time(event), line.strip()) for event in found for line in str(event.get("msg") or "").splitlines()]


def _time(event: dict[str, Any]) -> int:
    value = event.get("timestamp")
    return int(value) if isinstance(value, (int, float)) else 0
