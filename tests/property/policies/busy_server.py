"""A ClearML server in memory with projects; things happen between any two calls. Filters are the sandbox's."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from triggers.clearml_api.connection import Answer
from triggers.model.events import Event, decode_model, decode_task, iso_time
from triggers.sandbox.filters import Query
from triggers.sandbox.filters.kinds import MODELS, PROJECTS, TASKS, ListedKind

START = 1_800_000_000_000
_KINDS: dict[str, ListedKind] = {"tasks.get_all_ex": TASKS, "models.get_all_ex": MODELS, "projects.get_all": PROJECTS}


class BusyServer:
    """Objects by id, names of projects by id, and the calls that came: (endpoint, body, objects returned)."""

    def __init__(self, between: Callable[[], object] = lambda: None) -> None:
        self.now_ms = START
        self.between = between
        self.objects: dict[str, dict[str, dict[str, Any]]] = {"tasks": {}, "models": {}}
        self.projects: dict[str, str] = {}
        #: when each project got its name
        self.named_ms: dict[str, int] = {}
        self.calls: list[tuple[str, Mapping[str, Any], int]] = []

    # ---- what happens ----
    def name(self, project: str, name: str) -> None:
        """Make a project, or give it another name: that moves no time of an object in it."""
        self.now_ms += 1
        self.projects[project], self.named_ms[project] = name, self.now_ms

    def change(self, id_: str, kind: str = "tasks", at_ms: int | None = None, **fields: Any) -> None:
        """Make an object, or change some of it (its project too): that moves its time."""
        self.now_ms += at_ms is None
        item = self.objects[kind].setdefault(id_, {"id": id_, "status": "in_progress", "tags": [], "system_tags": []})
        item |= {"last_change": iso_time(self.now_ms if at_ms is None else at_ms), **fields}

    # ---- what is asked ----
    def call(self, endpoint: str, body: Mapping[str, Any]) -> Answer:
        self.between()
        kind = _KINDS[endpoint]
        query = Query(kind, {name: value for name, value in body.items() if name != "search_hidden"})
        if kind is PROJECTS:
            items = [{"id": id_, "name": name} for id_, name in self.projects.items()]
        else:
            items = [self.shown(item) for item in self.objects[kind.name].values()]
            items.sort(key=lambda item: (item["last_change"], item["id"]))
        passing = [item for item in items if query.passes(_stored(item))]
        page = passing[query.start : query.stop]
        self.calls.append((endpoint, body, len(page)))
        return Answer({kind.name: page}, self.now_ms - 1)

    def shown(self, item: dict[str, Any]) -> dict[str, Any]:
        project = item.get("project")
        return item | {"project": {"id": project, "name": self.projects[project]}} if project else item

    def events(self, kind: str = "tasks") -> list[Event]:
        """All objects as they are now."""
        decode = decode_task if kind == "tasks" else decode_model
        return [decode(self.shown(item)) for item in self.objects[kind].values()]

    def asked(self) -> list[str]:
        """The calls since last asked, in short."""
        calls, self.calls = self.calls, []
        return [endpoint.partition(".")[0] for endpoint, _, _ in calls]


def _stored(item: dict[str, Any]) -> dict[str, Any]:
    project = item.get("project")
    return item | {"project": project["id"]} if isinstance(project, dict) else item
