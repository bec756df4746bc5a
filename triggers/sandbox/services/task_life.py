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
    release = call.state.release
    if call.state.tasks.get(call.body["task"]) is None and not release.knows_missing:
        raise errors.invalid_object(task=None)
    task = task_of(call)
    check_step(task, "in_progress", force=bool(call.get("force")))
    running = task["status"] == "in_progress"
    starts = not running if release.tells_times else "started" not in task
    fields = step(call, task, "in_progress", times=("started",) if starts else ())
    if release.tells_times and not running:
        task.pop("completed", None)
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
        fields |= publish_task(call, task, models=True)
        published = 1
    return {"fields": fields, "published": published, "updated": 1}


@endpoint("tasks.failed", _STEP_FIELDS)
def failed(call: Call) -> Json:
    """A task has ended with an error."""
    task = task_of(call)
    check_step(task, "failed", force=bool(call.get("force")))
    fields = step(call, task, "failed", times=("completed",) if call.state.release.tells_times else ())
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


@endpoint("tasks.close", _STEP_FIELDS)
def close(call: Call) -> Json:
    """Close a task: from no status without force."""
    task = task_of(call)
    check_step(task, "closed", force=bool(call.get("force")))
    fields = step(call, task, "closed")
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
        if task["status"] == "queued":
            leave_queue(call, task)
        fields = step(call, task, "stopped", message=f"Stopped by {call.state.user_name}")
    done(call, task)
    return fields


def _has_worker(call: Call, task: Json) -> bool:
    return bool(task.get("last_worker_report", "") > stamp(call.now - WORKER_SECONDS))


@endpoint("tasks.publish", _STEP_FIELDS)
def publish(call: Call) -> Json:
    """Publish a task, and the models attached to it unless `publish_model` is false."""
    return {"fields": _publish(call, call.body["task"]), "updated": 1}


@endpoint("tasks.publish_many", _MANY_FIELDS)
def publish_many(call: Call) -> Json:
    """Publish several tasks."""
    return many(call, "ids", lambda key: {"updated": 1, "fields": _publish(call, key), "published": True})


def _publish(call: Call, key: str) -> Json:
    models, force = call.body.get("publish_model") in (None, True), bool(call.get("force"))
    return publish_task(call, task_of(call, key), models=models, force=force)


def publish_task(call: Call, task: Json, *, models: bool, force: bool = False) -> Json:
    """Make the step to published; with `models` those attached become ready, and their times move."""
    check_step(task, "published", force=force)
    fields = step(call, task, "published", times=("published",))
    done(call, task)
    for attached in task["models"]["output"] if models else ():
        model = call.state.models.get(attached["model"])
        if model is not None and not model["ready"]:
            call.state.models.begin(model)["ready"] = True
            call.state.models.commit(model, call.stamp, update=True)
    return {**fields, "output": dict(task["output"])}


@endpoint("tasks.ping", "task!")
def ping(call: Call) -> Json:
    """A task says that it lives; one that does not exist any more is not an error."""
    task = call.state.tasks.get(call.body["task"])
    if task is not None:
        call.state.tasks.begin(task)
        call.state.tasks.commit(task, call.stamp, update=True)
    return {}
