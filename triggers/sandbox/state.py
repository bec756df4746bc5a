"""All that the server knows: one user of one company, tasks, models, projects, queues, workers, events."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from .calls import Json, new_id
from .clock import Clock, stamp
from .releases import NEWEST, RELEASES, Release
from .store import ObjectStore

if TYPE_CHECKING:
    from .auth import Tokens

#: names of the one company and its one user
COMPANY_NAME, USER_NAME = "clearml", "sandbox"
DEFAULT_QUEUE = "default"


class SandboxState:
    """The state of one server; a new one is an empty server with the queue `default`."""

    def __init__(self, clock: Clock, tokens: Tokens, release: Release = RELEASES[NEWEST]) -> None:
        self.clock, self.tokens, self.release = clock, tokens, release
        self.company, self.user, self.user_name = tokens.company, tokens.user, USER_NAME
        self.made = stamp(time.time())
        self.tasks = ObjectStore(("project", "status", "parent"), ("tags", "system_tags"), followed="status")
        self.models = ObjectStore(("project", "task"), ("tags", "system_tags"))
        self.projects: dict[str, Json] = {}
        self.queues: dict[str, Json] = {}
        self.workers: dict[str, Json] = {}
        self.events: dict[str, list[Json]] = {}
        self.scrolls: dict[str, list[str]] = {}
        self.default_queue = self.add_queue(DEFAULT_QUEUE, self.made, system_tags=["default"])["id"]

    def add_queue(self, name: str, when: str, **values: Any) -> Json:
        """Make a queue."""
        queue: Json = {"id": new_id(), "name": name, "company": self.company, "created": when, "tags": []}
        queue |= {"system_tags": [], "entries": [], "last_update": when, "metadata": {}, **values}
        self.queues[queue["id"]] = queue
        return queue

    def queue_named(self, name: str) -> Json | None:
        """The queue of that name."""
        return next((queue for queue in self.queues.values() if queue["name"] == name), None)

    def project_named(self, name: str) -> Json | None:
        """The project of that name."""
        return next((project for project in self.projects.values() if project["name"] == name), None)

    def project_of(self, name: str, when: str, **values: Any) -> Json:
        """The project of that name, made with its parents if it is missing."""
        known = self.project_named(name)
        if known:
            return known
        parent_name, _, basename = name.rpartition("/")
        project: Json = {"id": new_id(), "company": self.company, "user": self.user, "name": name}
        project |= {"basename": basename, "description": "", "created": when, "tags": [], "system_tags": []}
        project |= {"last_update": when, "featured": 9999, **values}
        if parent_name:
            parent = self.project_of(parent_name, when)
            project["parent"] = parent["id"]
            for ancestor in (parent, *self.ancestors(parent)):
                ancestor["last_update"] = when
        self.projects[project["id"]] = project
        return project

    def rename_project(self, project: Json, name: str) -> None:
        """Give a project, and with it those below it, a name."""
        old = project["name"]
        for key in self.below(project["id"]):
            below = self.projects[key]
            below["name"] = name + below["name"][len(old) :]
        project["basename"] = name.rpartition("/")[2]

    def ancestors(self, project: Json) -> list[Json]:
        """The project's parent, its parent, and so on."""
        above = []
        while "parent" in project:
            project = self.projects[project["parent"]]
            above.append(project)
        return above

    def below(self, key: str) -> list[str]:
        """The project's id and the ids of all projects below it."""
        project = self.projects.get(key)
        if project is None:
            return [key]
        prefix = project["name"] + "/"
        return [key, *(p["id"] for p in self.projects.values() if p["name"].startswith(prefix))]
