"""Tags, archive, project and visibility of tasks, in any status: all of these move last_change alone."""

from __future__ import annotations

from .. import errors
from ..calls import Call, Json, endpoint, many
from .common import change_tags, check_tags_given, move_all, set_archived, task_of, touch_all
from .queue_entries import leave_queue
from .task_status import done, step

_MANY_FIELDS = "ids[]! status_reason status_message"


def _all_tasks(call: Call, field: str = "ids") -> list[Json]:
    keys = list(dict.fromkeys(call.body[field]))
    found = [call.state.tasks.get(key) for key in keys]
    missing = [key for key, task in zip(keys, found, strict=True) if task is None]
    if missing:
        raise errors.invalid_task(ids=f"({','.join(missing)})")
    return [task for task in found if task is not None]


@endpoint("tasks.update_tags", "ids[]! add_tags[] remove_tags[]")
def update_tags(call: Call) -> Json:
    """Add and remove tags; one missing task refuses all."""
    check_tags_given(call)
    updated = 0
    for task in _all_tasks(call):
        updated += change_tags(call, call.state.tasks.begin(task))
        call.state.tasks.commit(task, call.stamp)
    return {"updated": updated}


def _archive(call: Call, key: str, archived: bool) -> None:
    task = task_of(call, key)
    if archived and task["status"] == "queued":
        leave_queue(call, task)
        step(call, task, task.pop("enqueue_status", "created"))
        done(call, task)
    set_archived(call.state.tasks.begin(task), archived)
    task["last_changed_by"] = call.state.user
    call.state.tasks.commit(task, call.stamp)


@endpoint("tasks.archive", "tasks[]! status_reason status_message")
def archive(call: Call) -> Json:
    """Archive tasks; queued ones are dequeued first."""
    tasks = _all_tasks(call, "tasks")
    for task in tasks:
        _archive(call, task["id"], archived=True)
    return {"archived": len(tasks)}


@endpoint("tasks.archive_many", _MANY_FIELDS)
def archive_many(call: Call) -> Json:
    """Archive those tasks that exist."""

    def one(key: str) -> Json:
        _archive(call, key, archived=True)
        return {"archived": True}

    return many(call, "ids", one)


@endpoint("tasks.unarchive_many", _MANY_FIELDS)
def unarchive_many(call: Call) -> Json:
    """Take tasks out of the archive."""

    def one(key: str) -> Json:
        _archive(call, key, archived=False)
        return {"unarchived": True}

    return many(call, "ids", one)


@endpoint("tasks.move", "ids[]! project project_name")
def move(call: Call) -> Json:
    """Move tasks to a project, which is made if it is named and missing."""
    return move_all(call, call.state.tasks, _all_tasks(call))


@endpoint("tasks.make_public", "ids[]!")
def make_public(call: Call) -> Json:
    """There is one company here: only the time of the change is kept."""
    return touch_all(call, call.state.tasks, call.body["ids"])


@endpoint("tasks.make_private", "ids[]!")
def make_private(call: Call) -> Json:
    """There is one company here: only the time of the change is kept."""
    return touch_all(call, call.state.tasks, call.body["ids"])
