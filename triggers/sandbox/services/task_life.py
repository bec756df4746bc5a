"""Steps of a task's life: started, completed, failed, stop, stopped, publish, ping."""

from __future__ import annotations

from .. import errors
from ..calls import Call, Json, endpoint, many
from ..clock import stamp
from .common import task_of
from .queue_entries import leave_queue
from .task_status import check_step, done, step

#: a worker that reported within so many seconds is asked to stop its task; else the server stops it
WORKER_SECONDS = 60
_STEP_FIELDS = "task! status_reason status_message"
_MANY_FIELDS = "ids[]! status_reason status_message"


@endpoint("tasks.started", _STEP_FIELDS)
def started(call: Call) -> Json:
    """A task runs. Not a compare-and-set: a running task may be started again."""
    task = call.state.tasks.get(call.body["task"])
    if task is None:
        raise errors.invalid_object(task=None)
    check_step(task, "in_progress", force=bool(call.get("force")))
    times = () if task["status"] == "in_progress" else ("started",)
    fields = step(call, task, "in_progress", times=times)
    done(call, task)
    return {"fields": fields, "started": 1, "updated": 1}


@endpoint("tasks.completed", _STEP_FIELDS)
def completed(call: Call) -> Json:
    """A task has ended well; with `publish` it is published at once."""
    task = task_of(call)
    check_step(task, "completed", force=bool(call.get("force")))
    fields = step(call, task, "completed", times=("completed",))
    done(call, task)
    published = 0
    if call.get("publish"):
        fields = publish_task(call, task, force=False)
        published = 1
    return {"fields": fields, "published": published, "updated": 1}


@endpoint("tasks.failed", _STEP_FIELDS)
def failed(call: Call) -> Json:
    """A task has ended with an error."""
    task = task_of(call)
    check_step(task, "failed", force=bool(call.get("force")))
    fields = step(call, task, "failed", times=("completed",))
    done(call, task)
    return {"fields": fields, "updated": 1}


@endpoint("tasks.stopped", _STEP_FIELDS)
def stopped(call: Call) -> Json:
    """A task has stopped; its queue entry, if it has one, stays."""
    task = task_of(call)
    check_step(task, "stopped", force=bool(call.get("force")))
    fields = step(call, task, "stopped", times=("completed",))
    done(call, task)
    return {"fields": fields, "updated": 1}


@endpoint("tasks.stop", _STEP_FIELDS)
def stop(call: Call) -> Json:
    """Ask a task to stop: its worker does so, or the server if no worker reports for it."""
    return {"fields": _stop(call, call.body["task"]), "updated": 1}


@endpoint("tasks.stop_many", _MANY_FIELDS)
def stop_many(call: Call) -> Json:
    """Ask several tasks to stop."""
    return many(call, "ids", lambda key: {"stopped": True, "fields": _stop(call, key), "updated": 1})


def _stop(call: Call, key: str) -> Json:
    task = task_of(call, key)
    check_step(task, "stopped", force=bool(call.get("force")))
    if task["status"] == "in_progress" and _has_worker(call, task):
        fields = step(call, task, "in_progress", message="stopping")
    else:
        leave_queue(call, task)
        fields = step(call, task, "stopped", message=f"Stopped by {call.state.user_name}")
    done(call, task)
    return fields


def _has_worker(call: Call, task: Json) -> bool:
    return bool(task.get("last_worker_report", "") > stamp(call.now - WORKER_SECONDS))


@endpoint("tasks.publish", _STEP_FIELDS)
def publish(call: Call) -> Json:
    """Publish a task, with `publish_model` also the models attached to it."""
    task = task_of(call)
    return {"fields": publish_task(call, task, force=bool(call.get("force"))), "updated": 1}


@endpoint("tasks.publish_many", _MANY_FIELDS)
def publish_many(call: Call) -> Json:
    """Publish several tasks."""
    force = bool(call.get("force"))

    def one(key: str) -> Json:
        return {"updated": 1, "fields": publish_task(call, task_of(call, key), force=force), "published": True}

    return many(call, "ids", one)


def publish_task(call: Call, task: Json, *, force: bool) -> Json:
    """Make the step to published. Models become ready without moving any of their times."""
    check_step(task, "published", force=force)
    fields = step(call, task, "published", times=("published",))
    done(call, task)
    if call.get("publish_model"):
        for attached in task["models"]["output"]:
            model = call.state.models.get(attached["model"])
            if model is not None:
                call.state.models.begin(model)["ready"] = True
                call.state.models.commit(model)
    return {**fields, "output": dict(task["output"])}


@endpoint("tasks.ping", "task!")
def ping(call: Call) -> Json:
    """A task says that it lives."""
    task = call.state.tasks.begin(task_of(call))
    call.state.tasks.commit(task, call.stamp, update=True)
    return {}
