"""The calls on a service task: its configuration sections, runtime properties, console lines and plots.

The ClearML server refuses edits of configuration and runtime once a task has ended, even with `force`, and knows
`tasks.edit_runtime` from 2.3 on only. Else `tasks.edit` with `force` works, which replaces the whole field, so that it
is read before, and after: another writer may have done the same meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from triggers.base.errors import Refused
from triggers.base.escaping import one_line
from triggers.clearml_api.answers import field, objects, optional, texts
from triggers.clearml_api.connection import Api
from triggers.model.events import milliseconds
from triggers.model.launch_tags import is_launch_tag, service_tag

#: Service tasks of earlier starts that are looked at.
RECENT: Final = 50
_WRONG_STATUS: Final = (400, 110)
_UNKNOWN_CALL: Final = (404, 0)
#: Times that a whole field is written before another writer's values stand.
_WRITES: Final = 3
_WORKER: Final = "clearml-triggers"
_READ: Final = "tasks.get_all"


@dataclass(frozen=True, slots=True)
class Service:
    """A service task as the server has it: `sections` are its configuration, name → text; `user` made it.

    `changed_by` is the user who changed it last, this program included; "" where the server does not say. `changed_ms`:
    when, 0 where it does not say. `is_stopping`: a person asked a worker to end it. `read_ms`: the server's time before
    it was read, as `Answer.server_ms` has it.
    """

    id: str
    name: str
    status: str
    system_tags: tuple[str, ...]
    runtime: Mapping[str, str]
    sections: Mapping[str, str]
    user: str = ""
    changed_by: str = ""
    changed_ms: int = 0
    is_stopping: bool = False
    read_ms: int = 0


def read(api: Api, task_id: str, *, configuration: bool = True) -> Service | None:
    """Read a service task; None when it was deleted. One request.

    `configuration`: with its sections, which are megabytes where there are thousands of triggers.
    """
    found = _read(api, {"id": [task_id], "page": 0, "page_size": 1}, configuration=configuration)
    return found[0] if found else None


def find(
    api: Api, scheduler: str, *, configuration: bool = False, users: Collection[str] | None = None
) -> list[Service]:
    """Find tasks with the tag of a scheduler's service tasks, the latest updated first. One request.

    Anyone can put that tag on a task of their own: `sync.trust` says which of them count. `users`: only theirs.
    """
    query: dict[str, Any] = {"system_tags": ["__$any", service_tag(scheduler)], "order_by": ["-last_update"]}
    if users is not None:
        query["user"] = sorted(users)
    return _read(api, query | {"page": 0, "page_size": RECENT}, configuration=configuration)


def _read(api: Api, query: dict[str, Any], *, configuration: bool) -> list[Service]:
    fields = [
        "id",
        "name",
        "status",
        "status_message",
        "system_tags",
        "runtime",
        "user",
        "last_changed_by",
        "last_change",
        *(["configuration"] if configuration else []),
    ]
    answer = api.call(_READ, {**query, "only_fields": fields, "search_hidden": True})
    return [_service(task, answer.server_ms) for task in objects(_READ, answer.data, "tasks")]


def _service(task: Mapping[str, Any], read_ms: int) -> Service:
    sections: dict[str, Any] = optional(_READ, task, "configuration", dict)
    runtime: dict[str, Any] = optional(_READ, task, "runtime", dict)
    return Service(
        id=field(_READ, task, "id", str),
        name=optional(_READ, task, "name", str),
        status=optional(_READ, task, "status", str),
        system_tags=texts(_READ, task, "system_tags"),
        runtime={key: str(value) for key, value in runtime.items()},
        sections={name: str(item.get("value", "")) for name, item in sections.items() if isinstance(item, dict)},
        user=optional(_READ, task, "user", str),
        changed_by=optional(_READ, task, "last_changed_by", str),
        is_stopping="stopping" in optional(_READ, task, "status_message", str),
        changed_ms=_time(optional(_READ, task, "last_change", str)),
        read_ms=read_ms,
    )


def _time(text: str) -> int:
    try:
        return milliseconds(text) if text else 0
    except ValueError:
        return 0


def adopt(api: Api, task_id: str, scheduler: str) -> None:
    """Mark a ClearML task as a service task of the scheduler, whatever its status. Idempotent."""
    found, tag = read(api, task_id), service_tag(scheduler)
    if found is not None and tag not in found.system_tags:
        kept = [tag for tag in found.system_tags if not is_launch_tag(tag)]
        api.call("tasks.edit", {"task": task_id, "system_tags": [*kept, tag], "force": True})


def write_sections(api: Api, task_id: str, sections: Mapping[str, str], descriptions: Mapping[str, str]) -> None:
    """Write configuration sections; others stay."""
    items = [
        {"name": name, "value": text, "type": "json", "description": descriptions.get(name, "")}
        for name, text in sections.items()
    ]

    def merge(known: dict[str, Any]) -> dict[str, Any]:
        return known | {item["name"]: item for item in items}

    body = {"task": task_id, "configuration": items, "force": True}
    _edit(api, "tasks.edit_configuration", body, "configuration", merge)


def write_requirements(api: Api, task_id: str, requirements: Mapping[str, Any]) -> None:
    """Replace what an agent installs before it runs the task."""
    api.call("tasks.set_requirements", {"task": task_id, "requirements": dict(requirements)})


def write_runtime(api: Api, task_id: str, values: Mapping[str, str], remove: Iterable[str] = ()) -> None:
    """Write and remove runtime properties; others stay."""
    gone = list(remove)

    def merge(known: dict[str, Any]) -> dict[str, Any]:
        return {key: value for key, value in known.items() if key not in gone} | dict(values)

    body = {"task": task_id, "add_or_update": dict(values), "remove": gone, "force": True}
    _edit(api, "tasks.edit_runtime", body, "runtime", merge)


def read_runtime(api: Api, task_id: str, name: str) -> str:
    """Read a runtime property; "" where there is none, or no such task. One request."""
    return str(_read_part(api, task_id, "runtime").get(name, ""))


def _edit(
    api: Api, endpoint: str, body: dict[str, Any], part: str, merge: Callable[[dict[str, Any]], dict[str, Any]]
) -> None:
    """Edit a part of a task; once it has ended, or where the server lacks the call, the whole field of it."""
    if endpoint not in api.lacks:
        try:
            api.call(endpoint, body)
            return
        except Refused as refused:
            why = (refused.code, refused.subcode)
            if why not in (_WRONG_STATUS, _UNKNOWN_CALL):
                raise
            if why == _UNKNOWN_CALL:
                api.lacks.add(endpoint)
    _edit_whole(api, body["task"], part, merge)


def _edit_whole(api: Api, task: str, part: str, merge: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    """Write the whole field of a task until it has what is wanted."""
    known = _read_part(api, task, part)
    for _ in range(_WRITES):
        api.call("tasks.edit", {"task": task, part: merge(known), "force": True})
        known = _read_part(api, task, part)
        if merge(known) == known:
            return


def _read_part(api: Api, task: str, part: str) -> dict[str, Any]:
    query = {"id": [task], "only_fields": [part], "search_hidden": True}
    found = objects(_READ, api.call(_READ, query).data, "tasks")
    return optional(_READ, found[0], part, dict) if found else {}


@dataclass(frozen=True, slots=True)
class ConsoleLine:
    """One line of the console: time in ms, level as the SDK's (`info`, `warning`, `error`), text."""

    at_ms: int
    level: str
    text: str


@dataclass(frozen=True, slots=True)
class Plot:
    """One plot or table: `body` is what plotly takes."""

    title: str
    at_ms: int
    body: str
    series: str = " "


def report(api: Api, task_id: str, lines: Sequence[ConsoleLine], plots: Sequence[Plot]) -> None:
    """Add console lines and plots, all in one request."""
    common = {"task": task_id, "allow_locked": True, "model_event": False}
    events = [
        {
            "type": "log",
            "timestamp": line.at_ms,
            "level": line.level,
            "worker": _WORKER,
            "msg": one_line(line.text),
            **common,
        }
        for line in lines
    ]
    events += [
        {
            "type": "plot",
            "timestamp": plot.at_ms,
            "iter": 0,
            "metric": plot.title,
            "variant": plot.series,
            "plot_str": plot.body,
            **common,
        }
        for plot in plots
    ]
    if events:
        api.call("events.add_batch", events)


def read_ends(api: Api, ids: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Read status and end (ISO time, "" if none) of ClearML tasks, 500 in one request; missing ones are absent."""
    found = {}
    for start in range(0, len(ids), 500):
        query = {
            "id": list(ids[start : start + 500]),
            "only_fields": ["id", "status", "completed", "status_changed"],
            "page": 0,
            "page_size": 500,
            "search_hidden": True,
        }
        for task in objects(_READ, api.call(_READ, query).data, "tasks"):
            ended = optional(_READ, task, "completed", str) or optional(_READ, task, "status_changed", str)
            found[field(_READ, task, "id", str)] = (field(_READ, task, "status", str), ended)
    return found


def read_status(api: Api, task_id: str) -> tuple[str, str]:
    """Read status and status message of a service task; "" and "" when it is gone. One request."""
    query = {"id": [task_id], "only_fields": ["status", "status_message"], "search_hidden": True}
    found = objects(_READ, api.call(_READ, query).data, "tasks")
    if not found:
        return "", ""
    return optional(_READ, found[0], "status", str), optional(_READ, found[0], "status_message", str)


def stopped(api: Api, task_id: str, why: str) -> None:
    """Let a service task end as stopped.

    Raises:
        Refused: it has ended otherwise, or is gone.
    """
    api.call("tasks.stopped", {"task": task_id, "status_reason": why, "force": False})


def restart(api: Api, task_id: str) -> None:
    """Let a service task that has ended run again, since workers go on serving it."""
    api.call("tasks.started", {"task": task_id, "force": True})


def end(api: Api, task_id: str, why: str) -> None:
    """Let a service task end that a later one replaces. One that has ended or is gone stays as it is."""
    try:
        api.call("tasks.completed", {"task": task_id, "status_reason": why, "force": False})
    except Refused as refused:
        if refused.code != 400:
            raise
