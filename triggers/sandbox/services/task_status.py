"""The status machine: which steps there are, and what each of them writes."""

from __future__ import annotations

from .. import errors
from ..calls import Call, Json

#: from which statuses a step may be made without force
ALLOWED: dict[str, frozenset[str]] = {
    "queued": frozenset({"created", "queued", "stopped", "failed"}),
    "in_progress": frozenset({"created", "queued", "in_progress", "stopped", "completed"}),
    "completed": frozenset({"in_progress", "stopped", "completed"}),
    "failed": frozenset({"in_progress", "stopped", "failed"}),
    "stopped": frozenset({"queued", "in_progress", "stopped", "failed"}),
    "published": frozenset({"stopped", "failed", "completed"}),
    "closed": frozenset(),
}
#: statuses of tasks whose parts may be edited with force
EDITABLE = frozenset({"created", "queued", "in_progress"})
UNPUBLISHED = frozenset({"created", "queued", "in_progress", "stopped", "failed", "completed", "closed"})


def check_step(task: Json, new: str, *, force: bool = False) -> None:
    """Refuse a step that the machine does not have.

    Raises:
        ApiError: 400/110.
    """
    if not force and task["status"] not in ALLOWED[new]:
        raise errors.invalid_status_change(task["status"], new)


def step(
    call: Call,
    task: Json,
    new: str,
    *,
    reason: str | None = None,
    message: str | None = None,
    times: tuple[str, ...] = (),
) -> Json:
    """Put a task into a status: moves all its times, and those named in `times`.

    Returns the changed fields as an answer has them: times with microseconds.
    """
    reason = call.get("status_reason", "") if reason is None else reason
    message = call.get("status_message", "") if message is None else message
    call.state.tasks.begin(task)
    stored = {"status": new, "status_reason": reason, "status_message": message}
    moved = ("status_changed", "last_update", "last_change")
    task.update(stored)
    for field in (*moved, *times):
        task[field] = call.stamp
    task["last_changed_by"] = call.state.user
    fields: Json = {**stored, **dict.fromkeys(moved, call.precise), "last_changed_by": call.state.user}
    fields.update(dict.fromkeys(times, call.precise))
    return fields


def done(call: Call, task: Json) -> None:
    """Every step ends with this, when all of its fields are written."""
    call.state.tasks.commit(task, call.stamp, update=True)


def check_draft(task: Json, *, force: bool = False, editable: frozenset[str] = frozenset()) -> None:
    """Refuse a change of a task that is not a draft; with `force` the statuses `editable` are open too.

    Raises:
        ApiError: 400/110.
    """
    status = task["status"]
    if status != "created" and not (force and status in editable):
        raise errors.invalid_status(expected="created", status=status)
