"""Queues and their entries."""

from __future__ import annotations

from typing import Any

from .. import errors
from ..calls import Call, Json, endpoint
from ..filters.kinds import QUEUES
from .agents import workers_of
from .common import stored_name, tag_list
from .lists import list_plain
from .models import metadata
from .queue_entries import drop_entry, join_queue, position, queue_of
from .task_status import done, step


@endpoint("queues.create", "name!")
def create(call: Call) -> Json:
    """Make a queue of a new name."""
    name = _new_name(call, call.body["name"])
    tags = {field: tag_list(call.body[field], field) for field in ("tags", "system_tags") if call.get(field)}
    return {"id": call.state.add_queue(name, call.stamp, **tags)["id"]}


def _new_name(call: Call, name: str, own: str = "") -> str:
    name = stored_name(name)
    known = call.state.queue_named(name)
    if known is not None and known["id"] != own:
        raise errors.not_unique(err=f"name={name}, company={call.state.company}")
    return name


@endpoint("queues.get_by_id", "queue!")
def get_by_id(call: Call) -> Json:
    """One queue with its entries in order."""
    return {"queue": queue_of(call, call.body["queue"])}


@endpoint("queues.get_default")
def get_default(call: Call) -> Json:
    """The queue that takes what is sent to none."""
    queue = call.state.queues[call.state.default_queue]
    return {"id": queue["id"], "name": queue["name"]}


@endpoint("queues.get_all")
def get_all(call: Call) -> Json:
    """Queues that pass the filters."""
    return {"queues": list_plain(call, QUEUES, call.state.queues.values())}


@endpoint("queues.get_all_ex")
def get_all_ex(call: Call) -> Json:
    """Queues with all their fields, whatever only_fields says, and with their workers and tasks' names."""
    plain = Call(call.state, call.endpoint, {**call.body, "only_fields": None}, call.now)
    found = list_plain(plain, QUEUES, call.state.queues.values(), extended=True)
    for queue in found:
        queue["workers"] = workers_of(call, queue["id"])
        queue["entries"] = [{**entry, "task": _named(call, entry["task"])} for entry in queue["entries"]]
    return {"queues": found}


def _named(call: Call, key: str) -> Json:
    task = call.state.tasks.get(key)
    return {"id": key, "name": task["name"]} if task else {"id": key}


@endpoint("queues.update", "queue! name")
def update(call: Call) -> Json:
    """Rename or tag a queue; its last_update does not move."""
    queue = queue_of(call, call.body["queue"])
    fields: dict[str, Any] = {}
    if call.body.get("name") is not None:
        fields["name"] = _new_name(call, call.body["name"], queue["id"])
    for field in ("tags", "system_tags"):
        if call.body.get(field) is not None:
            fields[field] = tag_list(call.body[field], field)
    queue.update(fields)
    return {"fields": fields, "updated": 1 if fields else 0}


@endpoint("queues.delete", "queue!")
def delete(call: Call) -> Json:
    """Delete a queue; with `force` also one with tasks in it, which go back to where they came from."""
    queue = queue_of(call, call.body["queue"])
    if queue["entries"] and not call.get("force"):
        raise errors.queue_not_empty(id=queue["id"])
    for entry in queue["entries"]:
        task = call.state.tasks.get(entry["task"])
        if task is not None and task["status"] == "queued":
            step(call, task, task.pop("enqueue_status", "created"), reason=f"Queue {queue['id']} was deleted")
            done(call, task)
    del call.state.queues[queue["id"]]
    return {"deleted": 1}


@endpoint("queues.add_task", "queue! task!")
def add_task(call: Call) -> Json:
    """Add an entry; the task itself is not changed."""
    join_queue(call, queue_of(call, call.body["queue"]), call.body["task"])
    return {"added": 1}


@endpoint("queues.remove_task", "queue! task!")
def remove_task(call: Call) -> Json:
    """Remove an entry; the task itself is not changed."""
    key, task = call.body["queue"], call.body["task"]
    queue = call.state.queues.get(key)
    if queue is None or not drop_entry(call, queue, task):
        raise errors.not_in_queue(task=task, id=key, company=call.state.company)
    return {"removed": 1}


@endpoint("queues.get_next_task", "queue! task")
def get_next_task(call: Call) -> Json:
    """Take the first entry out; the task itself is not changed."""
    queue = queue_of(call, call.body["queue"])
    if not queue["entries"]:
        return {}
    entry = queue["entries"].pop(0)
    queue["last_update"] = call.stamp
    answer: Json = {"entry": entry}
    task = call.state.tasks.get(entry["task"])
    if call.get("get_task_info") and task is not None:
        info = {"company": task["company"], "user": task["user"], "project": task.get("project")}
        answer["task_info"] = {field: value for field, value in info.items() if value}
    return answer


@endpoint("queues.peek_task", "queue!")
def peek_task(call: Call) -> Json:
    """The first entry's task, which stays in the queue."""
    entries = queue_of(call, call.body["queue"])["entries"]
    return {"task": entries[0]["task"] if entries else None}


@endpoint("queues.get_num_entries", "queue!")
def get_num_entries(call: Call) -> Json:
    """How many tasks wait."""
    queue = call.state.queues.get(call.body["queue"])
    if queue is None:
        raise errors.invalid_queue(queue_id=call.body["queue"])
    return {"num": len(queue["entries"])}


def _move(call: Call, where: int | None = None, steps: int = 0) -> Json:
    """Move an entry to a position, or by so many steps towards the end; answers its new position."""
    key, task = call.body["queue"], call.body["task"]
    queue = queue_of(call, key)
    now = position(queue, task)
    if now < 0:
        raise errors.not_in_queue(task=task, id=key, company=call.state.company)
    last = len(queue["entries"]) - 1
    target = min(max(now + steps if where is None else where, 0), last)
    queue["entries"].insert(target, queue["entries"].pop(now))
    return {"position": target}


def _count(call: Call) -> int:
    return int(call.get("count", 1))


@endpoint("queues.move_task_to_front", "queue! task!")
def move_task_to_front(call: Call) -> Json:
    """Make a task the next one."""
    return _move(call, 0)


@endpoint("queues.move_task_to_back", "queue! task!")
def move_task_to_back(call: Call) -> Json:
    """Make a task the last one."""
    return _move(call, len(queue_of(call, call.body["queue"])["entries"]))


@endpoint("queues.move_task_forward", "queue! task!")
def move_task_forward(call: Call) -> Json:
    """Move a task towards the front."""
    return _move(call, steps=-_count(call))


@endpoint("queues.move_task_backward", "queue! task!")
def move_task_backward(call: Call) -> Json:
    """Move a task towards the end."""
    return _move(call, steps=_count(call))


@endpoint("queues.add_or_update_metadata", "queue! metadata[]!")
def add_or_update_metadata(call: Call) -> Json:
    """Merge metadata of a queue."""
    queue = queue_of(call, call.body["queue"])
    known = {} if call.get("replace_metadata") else queue["metadata"]
    queue["metadata"] = {**known, **metadata(call.body["metadata"])}
    return {"updated": 1}


@endpoint("queues.delete_metadata", "queue! keys[]!")
def delete_metadata(call: Call) -> Json:
    """Delete metadata of a queue."""
    queue = queue_of(call, call.body["queue"])
    queue["metadata"] = {k: v for k, v in queue["metadata"].items() if k not in call.body["keys"]}
    return {"updated": 1}
