"""Into a queue and out of it: enqueue, dequeue.

What refuses a second enqueue is the entry in that queue, not the status; of concurrent calls exactly one wins.
"""

from __future__ import annotations

from .. import errors
from ..calls import Call, Json, endpoint, many
from .agents import is_watched
from .common import stored_name, task_of
from .queue_entries import join_queue, leave_queue, position, queue_of
from .task_status import check_step, done, step

_FIELDS = "queue queue_name status_reason status_message"


@endpoint("tasks.enqueue", f"task! {_FIELDS}")
def enqueue(call: Call) -> Json:
    """Put a task into a queue, by id, by name (made if missing), or into the default one."""
    _check_queue_given(call)
    task = task_of(call)
    fields = enqueue_task(call, task)
    return {"fields": fields, "queued": 1, "updated": 1, **_watched(call)}


@endpoint("tasks.enqueue_many", f"ids[]! {_FIELDS}")
def enqueue_many(call: Call) -> Json:
    """Put several tasks into a queue."""
    _check_queue_given(call)

    def one(key: str) -> Json:
        return {"fields": enqueue_task(call, task_of(call, key)), "queued": True, "updated": 1}

    return {**many(call, "ids", one), **_watched(call)}


def enqueue_task(call: Call, task: Json) -> Json:
    """One task; in another queue it leaves the one it was in.

    Raises:
        ApiError: 400/706, it is in that queue already; its times have moved and it says so as its status' reason.
    """
    check_step(task, "queued", force=bool(call.get("force")))
    queue = _queue(call)
    if position(queue, task["id"]) >= 0:
        step(call, task, task["status"], reason="failed enqueueing", message="")
        task.pop("enqueue_status", None)
        done(call, task)
        raise errors.already_queued(task["id"])
    leave_queue(call, task)
    before = task.get("enqueue_status", "created") if task["status"] == "queued" else task["status"]
    fields = step(call, task, "queued")
    task["enqueue_status"] = before
    task["execution"]["queue"] = queue["id"]
    join_queue(call, queue, task["id"])
    done(call, task)
    return {**fields, "enqueue_status": before, "execution.queue": queue["id"]}


def _queue(call: Call) -> Json:
    name = call.get("queue_name")
    if name:
        name = stored_name(name)
        return call.state.queue_named(name) or call.state.add_queue(name, call.stamp)
    return queue_of(call, call.get("queue") or call.state.default_queue)


def _check_queue_given(call: Call) -> None:
    if call.get("queue") and call.get("queue_name"):
        raise errors.invalid_request("Either queue id or queue name should be provided")


def _watched(call: Call) -> Json:
    if not call.get("verify_watched_queue"):
        return {}
    name = call.get("queue_name")
    queue = call.state.queue_named(name.strip()) if name else call.state.queues.get(call.get("queue") or "")
    return {"queue_watched": is_watched(call, queue["id"] if queue else call.state.default_queue)}


@endpoint("tasks.dequeue", "task! status_reason status_message")
def dequeue(call: Call) -> Json:
    """Take a task out of its queue; missing and unqueued tasks are not an error."""
    return {"dequeued": 1, **_dequeue(call, call.body["task"])}


@endpoint("tasks.dequeue_many", "ids[]! status_reason status_message")
def dequeue_many(call: Call) -> Json:
    """Take several tasks out of their queues."""
    return many(call, "ids", lambda key: {"dequeued": True, **_dequeue(call, key)})


def _dequeue(call: Call, key: str) -> Json:
    """Back to the status before the queue; a running task goes back to created."""
    task = call.state.tasks.get(key)
    if task is None:
        return {"fields": {}, "updated": 0}
    if task["status"] not in ("queued", "in_progress"):
        return {"fields": {}, "updated": 0}
    leave_queue(call, task)
    before = task.get("enqueue_status", "created") if task["status"] == "queued" else "created"
    fields = step(call, task, before)
    task.pop("enqueue_status", None)
    done(call, task)
    return {"fields": {**fields, "enqueue_status": None}, "updated": 1}
