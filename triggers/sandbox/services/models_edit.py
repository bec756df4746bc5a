"""Editing, tagging, archiving, moving and deleting models."""

from __future__ import annotations

from .. import errors
from ..calls import Call, Json, endpoint, many
from .common import change_tags, check_tags_given, deleted_id, model_of, move_all, set_archived, touch_all
from .models import metadata, model_values

#: fields whose change moves last_change alone
_QUIET = frozenset({"name", "comment", "project"})
_FIELDS = "model! name project task parent comment framework tags[] system_tags[] uri"
_NOT_FOUND = "no such public or company model"


@endpoint("models.edit", _FIELDS)
def edit(call: Call) -> Json:
    """Edit a model, published or not; an edit of its address forgets what a page made of it."""
    return _edit(call, shows_update=True)


@endpoint("models.update", _FIELDS)
def update(call: Call) -> Json:
    """Change a model; the answer does not tell of last_update."""
    return _edit(call, shows_update=False)


def _edit(call: Call, *, shows_update: bool) -> Json:
    model = model_of(call, reason=_NOT_FOUND)
    values = model_values(call)
    if not values:
        return {"fields": {}, "updated": 0}
    call.state.models.begin(model).update(values)
    model["last_changed_by"] = call.state.user
    moves = not _QUIET.issuperset(values)
    call.state.models.commit(model, call.stamp, update=moves)
    fields = {**values, "last_change": call.precise, "last_changed_by": call.state.user}
    if "uri" in values:
        fields["ui_cache"] = {}
    if moves and shows_update:
        fields["last_update"] = call.precise
    return {"fields": fields, "updated": 1}


@endpoint("models.update_tags", "ids[]! add_tags[] remove_tags[]")
def update_tags(call: Call) -> Json:
    """Add and remove tags of those models that exist."""
    check_tags_given(call)
    updated = 0
    for key in dict.fromkeys(call.body["ids"]):
        model = call.state.models.get(key)
        if model is not None:
            updated += change_tags(call, call.state.models.begin(model))
            call.state.models.commit(model, call.stamp)
    return {"updated": updated}


@endpoint("models.add_or_update_metadata", "model! metadata[]!")
def add_or_update_metadata(call: Call) -> Json:
    """Merge metadata; `replace_metadata` replaces all."""
    model = call.state.models.begin(model_of(call, reason=_NOT_FOUND))
    known = {} if call.get("replace_metadata") else model["metadata"]
    model["metadata"] = {**known, **metadata(call.body["metadata"])}
    call.state.models.commit(model, call.stamp, update=True)
    return {"updated": 1}


@endpoint("models.delete_metadata", "model! keys[]!")
def delete_metadata(call: Call) -> Json:
    """Delete metadata by key."""
    model = call.state.models.begin(model_of(call, reason=_NOT_FOUND))
    gone = set(call.body["keys"])
    model["metadata"] = {key: item for key, item in model["metadata"].items() if key not in gone}
    call.state.models.commit(model, call.stamp, update=True)
    return {"updated": 1}


def _archive(call: Call, key: str, archived: bool) -> None:
    model = call.state.models.begin(model_of(call, key))
    set_archived(model, archived)
    call.state.models.commit(model, call.stamp)


@endpoint("models.archive_many", "ids[]!")
def archive_many(call: Call) -> Json:
    """Archive those models that exist."""

    def one(key: str) -> Json:
        _archive(call, key, archived=True)
        return {"archived": True}

    return many(call, "ids", one)


@endpoint("models.unarchive_many", "ids[]!")
def unarchive_many(call: Call) -> Json:
    """Take models out of the archive."""

    def one(key: str) -> Json:
        _archive(call, key, archived=False)
        return {"unarchived": True}

    return many(call, "ids", one)


@endpoint("models.move", "ids[]! project project_name")
def move(call: Call) -> Json:
    """Move models to a project, which is made if it is named and missing."""
    return move_all(call, call.state.models, [model_of(call, key) for key in dict.fromkeys(call.body["ids"])])


@endpoint("models.make_public", "ids[]")
def make_public(call: Call) -> Json:
    """There is one company here: only the time of the change is kept."""
    return touch_all(call, call.state.models, call.get("ids", []))


@endpoint("models.make_private", "ids[]")
def make_private(call: Call) -> Json:
    """There is one company here: only the time of the change is kept."""
    return touch_all(call, call.state.models, call.get("ids", []))


@endpoint("models.delete", "model!")
def delete(call: Call) -> Json:
    """Delete a model; with `force` also that of a published task."""
    return _delete(call, call.body["model"])


@endpoint("models.delete_many", "ids[]!")
def delete_many(call: Call) -> Json:
    """Delete several models."""
    return many(call, "ids", lambda key: _delete(call, key))


def _delete(call: Call, key: str) -> Json:
    model = model_of(call, key)
    task = call.state.tasks.get(model.get("task", ""))
    if task is not None and task["status"] == "published" and not call.get("force"):
        raise errors.model_has_task(task=task["id"])
    call.state.models.remove(model)
    _leave_inputs(call, model["id"])
    return {"deleted": True, "url": model["uri"]}


def _leave_inputs(call: Call, key: str) -> None:
    """Tasks that had the model as an input keep a sign of it."""
    for task in call.state.tasks.objects.values():
        if any(item["model"] == key for item in task["models"]["input"]):
            call.state.tasks.begin(task)
            inputs = [
                {**item, "model": deleted_id(key)} if item["model"] == key else item for item in task["models"]["input"]
            ]
            task["models"] = {**task["models"], "input": inputs}
            call.state.tasks.commit(task)
