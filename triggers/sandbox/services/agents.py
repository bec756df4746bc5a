"""Workers: what agents tell the server about themselves."""

from __future__ import annotations

from typing import Any

from ..calls import Call, Json, endpoint
from ..clock import stamp
from ..state import COMPANY_NAME
from .common import task_of

#: a worker that gives no other time is forgotten after so many seconds without a report
TIMEOUT_SECONDS = 600


@endpoint("workers.register", "worker! queues[] tags[]")
def register(call: Call) -> Json:
    """A worker begins."""
    _worker(call, timeout=call.get("timeout", TIMEOUT_SECONDS))
    return {}


@endpoint("workers.unregister", "worker!")
def unregister(call: Call) -> Json:
    """A worker ends; an unknown one is not an error."""
    call.state.workers.pop(call.body["worker"], None)
    return {}


@endpoint("workers.status_report", "worker! timestamp*! queues[] tags[] task queue")
def status_report(call: Call) -> Json:
    """A worker says what it does; the task that it runs is changed by that.

    Raises:
        ApiError: 400/101, there is no such task.
    """
    task = task_of(call) if call.get("task") else None
    worker = _worker(call)
    worker["task"], worker["queue"] = call.get("task"), call.get("queue")
    worker["last_activity"] = call.stamp
    if task is not None:
        call.state.tasks.begin(task)
        task.update(last_worker=worker["id"], last_worker_report=call.stamp)
        call.state.tasks.commit(task, call.stamp, update=True)
    return {}


def _worker(call: Call, **values: Any) -> Json:
    key = call.body["worker"]
    worker = call.state.workers.get(key)
    if worker is None:
        worker = {"id": key, "registered": call.stamp, "timeout": TIMEOUT_SECONDS, "queues": [], "tags": []}
        worker |= {"last_activity": call.stamp, "task": None, "queue": None}
        call.state.workers[key] = worker
    for field in ("queues", "tags"):
        worker[field] = call.get(field, [])
    worker.update(values, seen=call.now)
    return worker


@endpoint("workers.get_all")
def get_all(call: Call) -> Json:
    """Workers seen in the last `last_seen` seconds."""
    limit = call.get("last_seen", 3600)
    found = [worker for worker in call.state.workers.values() if not limit or call.now - worker["seen"] <= limit]
    return {"workers": [_shown(call, worker) for worker in found]}


@endpoint("workers.get_count")
def get_count(call: Call) -> Json:
    """How many workers there are."""
    return {"count": len(get_all(call)["workers"])}


def _shown(call: Call, worker: Json) -> Json:
    state = call.state
    shown: Json = {
        "id": worker["id"],
        "company": {"id": state.company, "name": COMPANY_NAME},
        "user": {"id": state.user, "name": state.user_name},
        "ip": "127.0.0.1",
        "key": f"worker_{state.company}___tests___{worker['id']}",
        "register_time": worker["registered"],
        "register_timeout": worker["timeout"],
        "last_activity_time": worker["last_activity"],
        "last_report_time": stamp(worker["seen"]),
        "tags": worker["tags"],
        "system_tags": [],
        "queues": [_queue(call, key) for key in worker["queues"]],
    }
    task = state.tasks.get(worker["task"] or "")
    if task is not None:
        running = {"running_time": 0, "last_iteration": task["last_iteration"]}
        shown["task"] = {"id": task["id"], "name": task["name"], **running}
        project = state.projects.get(task.get("project", ""))
        if project is not None:
            shown["project"] = {"id": project["id"], "name": project["name"]}
    if worker["queue"]:
        shown["queue"] = _queue(call, worker["queue"])
    return shown


def _queue(call: Call, key: str) -> Json:
    queue = call.state.queues.get(key)
    return {"id": key, "name": queue["name"], "num_tasks": len(queue["entries"])} if queue else {"id": key}


def workers_of(call: Call, queue: str) -> list[Json]:
    """The workers that watch a queue."""
    found = call.state.workers.values()
    return [{"name": worker["id"]} for worker in found if queue in worker["queues"] and _lives(call, worker)]


def is_watched(call: Call, queue: str) -> bool:
    """True if a worker takes tasks from this queue."""
    return bool(workers_of(call, queue))


def _lives(call: Call, worker: Json) -> bool:
    return bool(call.now - worker["seen"] <= worker["timeout"])
