"""The small web pages that links lead to: a ClearML task, a model, a project. To read only, and without any key."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from starlette.responses import HTMLResponse, PlainTextResponse, Response

from .strangers import is_own_host

if TYPE_CHECKING:
    from .state import SandboxState

Json = dict[str, Any]

#: Rows of a list, and lines of a console, on one page.
_ROWS = 200
_OBJECT = re.compile(r"/(?:projects|datasets/simple)/[^/]+/(experiments|tasks|models)/([^/]+)(?:/.*)?")
_SHORT = re.compile(r"/(tasks|models)/([^/]+)")
_PROJECT = re.compile(r"/(?:projects|datasets/simple)/([^/]+)(?:/.*)?")
_HEADERS = {
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
}
_STYLE = "body{font:15px sans-serif;margin:2em}td,th{padding:.2em 1em .2em 0;text-align:left;vertical-align:top}"


def is_page(path: str) -> bool:
    """Whether a path is one of the pages, whether or not there is an object of that id."""
    return path in ("/", "/projects") or any(form.fullmatch(path) for form in (_OBJECT, _SHORT, _PROJECT))


def answer(state: SandboxState, path: str, host: str) -> Response:
    """The page at a path; 404 for an object that does not exist."""
    if not is_own_host(host):  # no page elsewhere may read it by pointing its name to this machine
        return PlainTextResponse("the sandbox shows its pages under this machine's own names only", 403)
    found = _page(state, path)
    title, parts = found or ("not found", ["<p>The sandbox has no object of this id.</p>"])
    head = f"<!doctype html><meta charset=utf-8><title>{_text(title)}</title><style>{_STYLE}</style>"
    body = f"<p><a href='/projects'>projects</a></p><h1>{_text(title)}</h1>"
    return HTMLResponse(head + body + "".join(parts), 200 if found else 404, headers=_HEADERS)


def _page(state: SandboxState, path: str) -> tuple[str, Iterable[str]] | None:
    if path in ("/", "/projects"):
        return "ClearML sandbox", _overview(state)
    if found := _OBJECT.fullmatch(path) or _SHORT.fullmatch(path):
        store = state.models if found[1] == "models" else state.tasks
        obj = store.get(found[2])
        if obj is None:
            return None
        return str(obj.get("name", "")), _model(state, obj) if found[1] == "models" else _task(state, obj)
    found = _PROJECT.fullmatch(path)
    project = state.projects.get(found[1]) if found else None
    return None if project is None else (project["name"], _project(state, project))


def _overview(state: SandboxState) -> Iterator[str]:
    yield _table("Projects", ([_link("projects", one["id"], one["name"])] for one in state.projects.values()))
    queues = ([_text(one["name"]), str(len(one["entries"]))] for one in state.queues.values())
    yield _table("Queues, and the ClearML tasks that wait", queues)
    yield _objects("Latest ClearML tasks", "tasks", state.tasks.objects.values())
    yield _objects("Latest models", "models", state.models.objects.values())


def _project(state: SandboxState, project: Json) -> Iterator[str]:
    for title, store in (("tasks", state.tasks), ("models", state.models)):
        mine = (obj for obj in store.objects.values() if obj.get("project") == project["id"])
        yield _objects("ClearML tasks" if title == "tasks" else "Models", title, mine)


def _task(state: SandboxState, task: Json) -> Iterator[str]:
    yield _facts(state, task, "status", "status_reason", "type", "created", "started", "completed", "comment")
    queue = state.queues.get((task.get("execution") or {}).get("queue") or "")
    rows = [["queue", _text(queue["name"])]] if queue else []
    if task.get("parent") in state.tasks.objects:
        parent = state.tasks.objects[task["parent"]]
        rows.append(["parent", _link("tasks", parent["id"], parent.get("name", ""))])
    yield _table("", rows)
    parameters = (
        [_text(f"{section}/{name}"), _text(value.get("value", ""))]
        for section, values in (task.get("hyperparams") or {}).items()
        for name, value in values.items()
    )
    yield _table("Parameters", parameters)
    models = (obj for obj in state.models.objects.values() if obj.get("task") == task["id"])
    yield _objects("Models", "models", models)
    lines = [str(e.get("msg", "")) for e in state.events.get(task["id"], ()) if e.get("type") == "log"][-_ROWS:]
    if lines:
        yield "<h2>Console</h2><pre>" + "\n".join(_text(line) for text in lines for line in text.splitlines())
        yield "</pre>"


def _model(state: SandboxState, model: Json) -> Iterator[str]:
    yield _facts(state, model, "ready", "framework", "uri", "created", "comment")
    made_by = state.tasks.get(model.get("task") or "")
    if made_by:
        yield _table("Made by", [[_link("tasks", made_by["id"], made_by.get("name", ""))]])


def _facts(state: SandboxState, obj: Json, *names: str) -> str:
    project = state.projects.get(obj.get("project") or "")
    rows = [["id", _text(obj["id"])]]
    rows += [["project", _link("projects", project["id"], project["name"])]] if project else []
    rows += [[name, _text(obj[name])] for name in names if obj.get(name) not in (None, "")]
    rows += [[name, _text(", ".join(obj[name]))] for name in ("tags", "system_tags") if obj.get(name)]
    return _table("", rows)


def _objects(title: str, kind: str, objects: Iterable[Json]) -> str:
    latest = sorted(objects, key=lambda obj: str(obj.get("created", "")), reverse=True)
    state = "status" if kind == "tasks" else "ready"
    return _table(title, ([_link(kind, o["id"], o.get("name", "")), _text(o.get(state, ""))] for o in latest))


def _table(title: str, rows: Iterable[list[str]]) -> str:
    shown = list(rows)
    if not shown:
        return ""
    lines = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in shown[:_ROWS])
    more = f"<p>and {len(shown) - _ROWS} more</p>" if len(shown) > _ROWS else ""
    return (f"<h2>{_text(title)}</h2>" if title else "") + f"<table>{lines}</table>{more}"


def _link(kind: str, id_: str, name: object) -> str:
    return f'<a href="/{kind}/{_text(id_)}">{_text(name) or _text(id_)}</a>'


def _text(text: object) -> str:
    """Text of others: no markup, and whatever does not print (controls, marks that turn text) spelled out."""
    shown = (c if c.isprintable() else c.encode("unicode_escape", "surrogatepass").decode() for c in str(text))
    return html.escape("".join(shown))
