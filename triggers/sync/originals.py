"""What the original TriggerScheduler left on its service task, read so that nothing it fired for fires again. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from triggers.base.formats import reading
from triggers.model.events import milliseconds
from triggers.model.kinds import KINDS, Kind
from triggers.model.original import triggered_objects
from triggers.model.schedule_fields import AT_ONCE, ONLY_ONCE, SCHEDULE

#: Name of the original's artifact, and of the list of each kind in it.
ARTIFACT: Final = "state"
#: Lines of the original's console about a launch, or one that it skips: what is before and behind the name.
_SAID: Final = (
    ("Scheduling Job ", ", Task "), ("Scheduling Job '", "', Task '"),
    ("Skipping Task ", " scheduling, "), ("Skipping Task '", "' scheduling, "),
)  # fmt: skip
#: The id of the ClearML task in such a line.
_TASK: Final = re.compile(r"^([0-9a-f]{32}) on queue ")
LISTS: Final[dict[Kind, str]] = {kind: "scheduled_jobs" if kind == SCHEDULE else f"{kind}_triggers" for kind in KINDS}


@dataclass(frozen=True, slots=True)
class Left:
    """What the original knew of one trigger.

    Args:
        since_ms: it has read what changed before; 0 if it never did.
        fired: object id → time it fired, ms.
        tasks: ids of the ClearML tasks it launched, oldest first.
    """

    since_ms: int
    fired: dict[str, int]
    tasks: tuple[str, ...]


def read_state(text: str) -> dict[str, Left]:
    """Read the original's state: trigger id → what it left. Like-named triggers of one kind are taken together.

    Raises:
        Unreadable: the text is not what the original writes.
    """
    found: dict[str, Left] = {}
    with reading("state", "of the original"):
        body = json.loads(text)
        for kind, key in LISTS.items():
            for item in body.get(key) or ():
                name = item.get("name") or item.get("base_task_id")
                if name:
                    left, known = _left_of(kind, item), found.get(f"{kind}:{name}")
                    found[f"{kind}:{name}"] = _together(known, left) if known else left
    return found


def _left_of(kind: Kind, item: dict[str, Any]) -> Left:
    return _left_schedule(item) if kind == SCHEDULE else _left(item)


def _left_schedule(item: dict[str, Any]) -> Left:
    """What has run counts from then on; what was to run at once, or once only, has run."""
    ran, began, tasks = item.get("_last_executed"), item.get("starting_time"), item.get("_executed_instances") or ()
    ran_ms, began_ms = milliseconds(ran) if ran else 0, milliseconds(began) if began else 0
    launched = tuple(str(task) for task in tasks if task and not str(task).isdigit())
    fired = {AT_ONCE: ran_ms, ONLY_ONCE: ran_ms} if ran_ms else {}
    return Left(ran_ms or max(0, began_ms), fired, launched)


def _left(item: dict[str, Any]) -> Left:
    since, tasks = item.get("last_update"), item.get("_executed_instances") or ()
    # of a function the original notes the thread's number, and nothing for what it skipped
    launched = tuple(str(task) for task in tasks if task and not str(task).isdigit())
    return Left(milliseconds(since) if since else 0, triggered_objects(item), launched)


def _together(one: Left, two: Left) -> Left:
    return Left(min(one.since_ms, two.since_ms), {**one.fired, **two.fired}, one.tasks + two.tasks)


def with_launches(
    found: Mapping[str, Left], schedules: Iterable[str], console: Iterable[tuple[int, str]]
) -> dict[str, Left]:
    """Add the launches of schedules that the console tells of, and the state that was saved last does not.

    The original uploads its state in threads that overtake one another: the state that arrived last may be older than
    its last launches. Its console has a line for each, in order.

    Args:
        found: trigger id → what the state says.
        schedules: the names of the schedules there are.
        console: the lines of the original's console, each with its time, ms.
    """
    wanted, told = sorted(set(schedules), key=len, reverse=True), dict(found)
    for at_ms, line in sorted(console):
        name, rest = next(((n, rest) for n in wanted if (rest := _launched(n, line)) is not None), ("", None))
        id_ = f"{SCHEDULE}:{name}"
        known = told.get(id_, Left(0, {}, ()))
        if rest is not None and at_ms > max(known.fired.values(), default=0):
            new = tuple(task for task in _TASK.findall(rest) if task not in known.tasks)
            told[id_] = Left(max(at_ms, known.since_ms), {AT_ONCE: at_ms, ONLY_ONCE: at_ms}, known.tasks + new)
    return told


def _launched(name: str, line: str) -> str | None:
    """What a line says behind the name of the schedule that it launches or skips; None if it is about another."""
    for before, after in _SAID:
        if line.startswith(start := before + name + after):
            return line.removeprefix(start)
    return None
