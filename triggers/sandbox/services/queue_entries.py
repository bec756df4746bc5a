"""Entries of queues: who is in, and the ways in and out."""

from __future__ import annotations

from .. import errors
from ..calls import Call, Json


def queue_of(call: Call, key: str) -> Json:
    """The queue of an id.

    Raises:
        ApiError: 400/701, there is none; a name is not an id.
    """
    queue = call.state.queues.get(key)
    if queue is None:
        raise errors.invalid_queue(id=key, company=call.state.company)
    return queue


def position(queue: Json, task: str) -> int:
    """Where a task stands in a queue; -1 if it does not."""
    return next((i for i, entry in enumerate(queue["entries"]) if entry["task"] == task), -1)


def join_queue(call: Call, queue: Json, task: str) -> None:
    """Put a task at the end of a queue.

    Raises:
        ApiError: 400/706, it is in that queue.
    """
    if position(queue, task) >= 0:
        raise errors.already_queued(task)
    queue["entries"].append({"task": task, "added": call.stamp})
    queue["last_update"] = call.stamp


def drop_entry(call: Call, queue: Json, task: str) -> bool:
    """Take a task out of a queue; False if it was not in."""
    where = position(queue, task)
    if where < 0:
        return False
    del queue["entries"][where]
    queue["last_update"] = call.stamp
    return True


def leave_queue(call: Call, task: Json) -> int:
    """Take a task out of the queue that it was sent to; returns how many entries that were."""
    queue = call.state.queues.get(task["execution"].get("queue", ""))
    return int(queue is not None and drop_entry(call, queue, task["id"]))
