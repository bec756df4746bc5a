"""The calls that make, find and remove launched ClearML tasks. What they mean is the stages' concern."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from triggers.base.errors import Refused, ServerUnavailable
from triggers.clearml_api.answers import field, objects, texts
from triggers.clearml_api.connection import Api
from triggers.clearml_api.names import find_project, find_queue
from triggers.clearml_api.task_reads import milliseconds_of, read_tasks, tasks_by_id, text_of
from triggers.model.launch_request import BASE_FIELDS, LaunchRequest
from triggers.model.launch_tags import ATTEMPT, REUSED, value_of

__all__ = [
    "Deleted",
    "TaggedTask",
    "clone",
    "delete_draft",
    "edit_draft",
    "enqueue",
    "find_base_task",
    "find_launches",
    "find_project",
    "find_queue",
    "find_running",
    "read_base_tasks",
    "read_runs",
    "read_status_times",
    "read_statuses",
    "reset_task",
]

#: tags, or base tasks, in one query
_PER_QUERY: Final = 100
#: what the server returns at most
_PAGE_SIZE: Final = 500

_NO_SUCH_TASK: Final = (400, 101)
_NOT_A_DRAFT: Final = (400, 123)


@dataclass(frozen=True, slots=True)
class TaggedTask:
    """A ClearML task that carries a launch tag: a launch of ours, or somebody's copy of one."""

    id: str
    status: str
    system_tags: tuple[str, ...]
    created_ms: int
    parent: str = ""

    @property
    def cloned_by(self) -> str:
        """The nonce of the attempt that cloned it; "" for a task that is run itself, which nobody may delete.

        A clone always has a parent. A base task of an earlier release carries our launch tags without `REUSED`.
        """
        return value_of(ATTEMPT, self.system_tags) if self.parent and REUSED not in self.system_tags else ""


def find_launches(api: Api, firing_tags: Sequence[str]) -> list[TaggedTask]:
    """Find the ClearML tasks that carry any of the tags, archived ones too, oldest first.

    Of a single tag with more than 500 carriers (copies made by hand) the oldest 500 are returned.
    """
    found: list[TaggedTask] = []
    for start in range(0, len(firing_tags), _PER_QUERY):
        found += _find(api, firing_tags[start : start + _PER_QUERY])
    return sorted({one.id: one for one in found}.values(), key=lambda one: (one.created_ms, one.id))


def _find(api: Api, tags: Sequence[str]) -> list[TaggedTask]:
    found = _found(api, tags, {})
    if len(found) >= _PAGE_SIZE and len(tags) > 1:  # a second page could miss what a deletion shifts
        half = len(tags) // 2
        return _find(api, tags[:half]) + _find(api, tags[half:])
    return found


def _found(api: Api, tags: Sequence[str], filters: dict[str, Any]) -> list[TaggedTask]:
    tasks = read_tasks(
        api,
        {
            "system_tags": ["__$any", *tags],  # the operator keeps a tag that begins with "-" literal
            "order_by": ["created"],
            "page": 0,
            "page_size": _PAGE_SIZE,
            "only_fields": ["id", "status", "system_tags", "created", "parent"],
            **filters,
        },
    )
    return [
        TaggedTask(
            text_of(task, "id"),
            text_of(task, "status"),
            _marked(task),
            milliseconds_of(text_of(task, "created")),
            str(task.get("parent") or ""),
        )
        for task in tasks
    ]


def _marked(task: Mapping[str, Any]) -> tuple[str, ...]:
    """The system tags of a task that was found by one of them."""
    field("tasks.get_all", task, "system_tags", list)
    return texts("tasks.get_all", task, "system_tags")


def read_base_tasks(api: Api, ids: Collection[str]) -> dict[str, dict[str, Any]]:
    """Read what a launch request needs of its base task; ids that the server does not have are absent."""
    return tasks_by_id(api, ids, list(BASE_FIELDS), _PER_QUERY)


def find_running(api: Api, tag: str) -> list[TaggedTask]:
    """Find the ClearML tasks with a tag that are queued or running, oldest first, at most 500."""
    return _found(api, [tag], {"status": ["queued", "in_progress"]})


def find_drafts(api: Api, tag: str) -> list[TaggedTask]:
    """Find the ClearML tasks with a tag that are drafts, oldest first, at most 500."""
    return _found(api, [tag], {"status": ["created"]})


def find_base_task(
    api: Api, *, project: str | None, name: str | None, tags: Sequence[str], not_marked: str, pipeline: bool = False
) -> dict[str, Any] | None:
    """Read the newest ClearML task that fits, with `BASE_FIELDS`; archived and marked ones do not.

    Args:
        api: the server.
        project: id of its project, not recursive.
        name: its exact name.
        tags: all of them have to be present.
        not_marked: a system tag that it must not carry, so that no launch becomes the next base task.
        pipeline: it has to be the run of a pipeline, whose name the SDK may have numbered ("name #2").
    """
    query: dict[str, Any] = {
        "system_tags": [*["pipeline"] * pipeline, "-archived", f"-{not_marked}"],
        "order_by": ["-created"],
        "page": 0,
        "page_size": 1,
        "only_fields": list(BASE_FIELDS),
    }
    if project:
        query["project"] = [project]
    if name:
        query["name"] = f"^{re.escape(name)}{'( #[0-9]+)*' if pipeline else ''}$"
    if tags:
        query["tags"] = ["__$all", *tags]
    found = read_tasks(api, query)
    return found[0] if found else None


def read_statuses(api: Api, ids: Collection[str]) -> dict[str, str]:
    """Read statuses; ids that the server does not have are absent."""
    tasks = tasks_by_id(api, ids, ["id", "status"])
    return {id_: text_of(task, "status") for id_, task in tasks.items()}


@dataclass(frozen=True, slots=True)
class Run:
    """What the server says of a launched ClearML task; times are by its clock, 0 where it says none."""

    status: str
    created_ms: int
    status_changed_ms: int
    is_clone: bool


def read_runs(api: Api, ids: Collection[str]) -> dict[str, Run]:
    """Read status and times of launched ClearML tasks; ids that the server does not have are absent."""
    tasks = tasks_by_id(api, ids, ["id", "status", "created", "status_changed", "parent", "system_tags"])
    return {
        id_: Run(
            text_of(task, "status"),
            milliseconds_of(text_of(task, "created")),
            milliseconds_of(str(task["status_changed"])) if task.get("status_changed") else 0,
            bool(task.get("parent")) and REUSED not in (task.get("system_tags") or ()),
        )
        for id_, task in tasks.items()
    }


def read_status_times(api: Api, ids: Collection[str]) -> dict[str, int]:
    """Read since when ClearML tasks have the status that they have, in ms by the server's clock."""
    tasks = tasks_by_id(api, ids, ["id", "status_changed"])
    return {id_: milliseconds_of(text_of(task, "status_changed")) for id_, task in tasks.items()}


def clone(api: Api, request: LaunchRequest) -> str:
    """Make the ClearML task of a launch, a draft, by one call; returns its id.

    Raises:
        Refused: There is no draft.
        ServerUnavailable: There may be one, to be found by its tags.
    """
    return text_of(api.call("tasks.clone", request.clone).data, "id", "tasks.clone")


def edit_draft(api: Api, task_id: str, edit: Mapping[str, Any]) -> None:
    """Change a draft; the server refuses (400/110) if it is no longer a draft."""
    api.call("tasks.edit", {**edit, "task": task_id})


def enqueue(api: Api, ids: Sequence[str], queue_id: str) -> dict[str, Refused | None]:
    """Put ClearML tasks into a queue by one call; None for each that was accepted, else why it was not.

    Raises:
        Refused: The call as a whole, for none of them (such as 401).
        ServerUnavailable: Any of them may have been accepted.
    """
    if not ids:
        return {}
    if len(ids) == 1:
        try:
            api.call("tasks.enqueue", {"task": ids[0], "queue": queue_id})
        except Refused as refused:
            if refused.code != 400:
                raise
            return {ids[0]: refused}
        return {ids[0]: None}
    answer = api.call("tasks.enqueue_many", {"ids": list(ids), "queue": queue_id}).data
    outcome: dict[str, Refused | None] = {
        text_of(one, "id", "tasks.enqueue_many"): None for one in objects("tasks.enqueue_many", answer, "succeeded")
    }
    outcome |= dict(map(_refusal, objects("tasks.enqueue_many", answer, "failed")))
    if missing := set(ids) - set(outcome):
        raise ServerUnavailable(f"tasks.enqueue_many: its answer says nothing about {sorted(missing)}")
    return {id_: outcome[id_] for id_ in ids}


def reset_task(api: Api, task_id: str) -> None:
    """Make a ClearML task a draft again; refused when it is published or has published output models."""
    api.call("tasks.reset", {"task": task_id})


#: What became of a draft that was to be deleted. "gone": by this call or before. "launched": it was enqueued, and is
#: untouched. "kept": it is a base task, and nothing was asked of the server.
Deleted = Literal["gone", "launched", "kept"]


def delete_draft(api: Api, task_id: str, *, is_base_task: Callable[[str], bool]) -> Deleted:
    """Delete a draft; without `force`, so that the server refuses what is not a draft any more.

    This is the only call that deletes anything, and nobody can make it without saying how base tasks are known.

    Args:
        api: the server.
        task_id: the draft.
        is_base_task: whether the ClearML task of that id is, or was, the base task of any trigger.
    """
    if is_base_task(task_id):
        return "kept"
    try:
        answer = api.call("tasks.delete", {"task": task_id}).data
    except Refused as refused:
        if (refused.code, refused.subcode) == _NO_SUCH_TASK:
            return "gone"
        if (refused.code, refused.subcode) == _NOT_A_DRAFT:
            return "launched"
        raise
    if not field("tasks.delete", answer, "deleted", bool):
        raise ServerUnavailable(f"tasks.delete: says neither that {task_id} was deleted nor why not")
    return "gone"


def _refusal(one: Mapping[str, Any]) -> tuple[str, Refused]:
    """Read one of the `failed` of a call for many."""
    endpoint = "tasks.enqueue_many"
    error = field(endpoint, one, "error", dict)
    codes = field(endpoint, error, "codes", list)
    if len(codes) != 2 or not all(isinstance(code, int) for code in codes) or codes[0] >= 500:
        raise ServerUnavailable(f"{endpoint}: failed for {one.get('id')!r} with {codes!r:.60}")
    return text_of(one, "id", endpoint), Refused(endpoint, codes[0], codes[1], str(error.get("msg", "")))
