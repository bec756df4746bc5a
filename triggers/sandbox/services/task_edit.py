"""Editing whole fields of a task: edit, update, set_requirements."""

from __future__ import annotations

from ..calls import Call, Json, endpoint
from .common import stored_name, task_of
from .task_status import check_draft
from .tasks import check_type, given_values

#: fields whose change moves last_change alone
_QUIET = frozenset({"name", "tags", "system_tags", "comment", "project"})
#: fields of which a request may give a part
_MERGED = ("script", "execution", "output")
_ANY_STATUS = frozenset({"queued", "in_progress", "stopped", "failed", "completed", "published", "closed"})


@endpoint("tasks.edit", "task! name project parent")
def edit(call: Call) -> Json:
    """Edit a draft; with `force` any task. `status` is edited like any other field."""
    task = task_of(call)
    check_draft(task, force=bool(call.get("force")), editable=_ANY_STATUS)
    values: Json = {}
    if call.body.get("name") is not None:
        values["name"] = stored_name(call.body["name"])
    if call.body.get("type") is not None:
        check_type(call.body["type"])
    values |= given_values(call, call.body)
    return edit_fields(call, task, values)


@endpoint("tasks.update", "task! name project")
def update(call: Call) -> Json:
    """Change name, tags, comment or project of a task in any status."""
    task = task_of(call)
    allowed = ("tags", "system_tags", "comment", "project")
    values: Json = {}
    if call.body.get("name") is not None:
        values["name"] = stored_name(call.body["name"])
    values |= given_values(call, {field: call.body.get(field) for field in allowed})
    return edit_fields(call, task, values)


def edit_fields(call: Call, task: Json, values: Json) -> Json:
    """Write fields; the times move according to which of them there are."""
    if not values:
        return {"fields": {}, "updated": 0}
    call.state.tasks.begin(task)
    for field in _MERGED:
        if field in values:
            values[field] = {**task[field], **values[field]}
    task.update(values)
    task["last_changed_by"] = call.state.user
    moves = not _QUIET.issuperset(values)
    call.state.tasks.commit(task, call.stamp, update=moves)
    times = {"last_change": call.precise, "last_changed_by": call.state.user}
    if moves:
        times["last_update"] = call.precise
    return {"fields": {**values, **times}, "updated": 1}


@endpoint("tasks.set_requirements", "task! requirements*!")
def set_requirements(call: Call) -> Json:
    """Set the packages of a task in any status."""
    task = task_of(call)
    edit_fields(call, task, {"script": {"requirements": call.get("requirements", {})}})
    return {"fields": {}, "updated": 1}
