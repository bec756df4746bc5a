"""Both schedulers with the same triggers on one server, polling at the same moments, and what each fired."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from tests.integration.stages.calling import call_one
from tests.integration.stages.conftest import World
from triggers import TriggerScheduler
from triggers.base.settings import Settings
from triggers.ledger import Ledger
from triggers.model import Trigger
from triggers.model.events import decode_model, decode_task
from triggers.rules.conditions import matches
from triggers.sandbox import Sandbox
from triggers.sandbox.client import CallFailed

Json = dict[str, Any]
Fired = Counter[tuple[str, str]]  # (trigger, object) → how often
TASK_FIELDS = ["id", "name", "project.name", "tags", "system_tags", "status", "last_metrics", "last_change"]
MODEL_FIELDS = ["id", "name", "project.name", "tags", "system_tags", "ready", "last_change"]
#: Times of the server are whole milliseconds: what follows a poll is a later one.
TICK_SECONDS = 0.002


@dataclass(frozen=True)
class Rule:
    """A trigger as both get it."""

    kind: str
    name: str
    arguments: Json

    def __getitem__(self, argument: str) -> Any:
        return self.arguments.get(argument)


@dataclass
class Past:
    """What happened so far: what excuses may read."""

    rules: dict[str, Rule] = field(default_factory=dict)
    projects: dict[str, str] = field(default_factory=dict)  # name → id when the triggers were declared
    snapshots: list[dict[str, Json]] = field(default_factory=list)  # at each poll: id → object
    theirs: Fired = field(default_factory=Counter)
    ours: Fired = field(default_factory=Counter)
    right: Fired = field(default_factory=Counter)  # what the conditions say of what each poll found

    def of(self, object_id: str) -> Iterator[Json]:
        """The object as each poll found it."""
        return (snapshot[object_id] for snapshot in self.snapshots if object_id in snapshot)


class Pair:
    """Makes changes on the server and lets both look."""

    def __init__(
        self, server: Sandbox, ledger: Ledger, settings: Settings, original: Callable[..., Any], number: int
    ) -> None:
        self.world = World(server, ledger, settings)
        self.original, self.suffix = original, f" {number}"
        self.past, self.calls = Past(), list[tuple[str, str]]()
        self.objects: list[tuple[str, str]] = []  # (kind, id)
        self.functions: dict[str, Callable[[str], None]] = {}
        self.triggers: list[Trigger] = []

    # ---- the server ----
    def call(self, endpoint: str, **body: Any) -> Any:
        return self.world.call(endpoint, **body)

    def attempt(self, endpoint: str, **body: Any) -> bool:
        """A call of a random history: the server may refuse it."""
        try:
            self.call(endpoint, **body)
        except CallFailed:
            return False
        return True

    def name(self, project: str) -> str:
        """The name of a project in this pair's own part of the server."""
        head, slash, rest = project.partition("/")
        return head + self.suffix + slash + rest

    def project(self, name: str) -> str:
        name = self.name(name)
        found = self.call("projects.get_all", name=f"^{name}$", search_hidden=True)["projects"]
        return str(found[0]["id"] if found else self.call("projects.create", name=name, description="")["id"])

    def task(self, name: str = "run", project: str = "P", **fields: Any) -> str:
        id_ = self.world.create_task(name, project=self.project(project), **fields)
        self.objects.append(("task", id_))
        return id_

    def dataset(self, name: str = "digits", project: str = "P", **fields: Any) -> str:
        hidden = self.project(f"{project}/.datasets/{name}")
        id_ = self.world.create_task(name, type="data_processing", system_tags=["dataset"], project=hidden, **fields)
        self.objects.append(("dataset", id_))
        return id_

    def model(self, name: str = "net", project: str = "P", **fields: Any) -> str:
        body = {"name": name, "uri": "file:///m", "ready": False, "project": self.project(project), **fields}
        id_ = str(self.call("models.create", **body)["id"])
        if fields.get("task"):
            self.attempt("tasks.add_or_update_model", task=fields["task"], type="output", name=name, model=id_)
        self.objects.append(("model", id_))
        return id_

    def run(self, task: str, *steps: str) -> None:
        for step in steps:
            self.call(f"tasks.{step}", task=task)

    def scalar(self, task: str, value: float, title: str = "loss", variant: str = "val") -> bool:
        event = {"type": "training_stats_scalar", "task": task, "iter": 1, "metric": title, "variant": variant}
        return self.attempt("events.add", **event, value=value)

    # ---- the schedulers ----
    def declare(self, *rules: tuple[str, Json]) -> None:
        """Declare the same triggers with both; what changes from now on counts."""
        numbered = [Rule(kind, f"t{n}", self._named(arguments)) for n, (kind, arguments) in enumerate(rules)]
        self.past.rules = {rule.name: rule for rule in numbered}
        mine = {"name": f"{self.suffix}(/|$)", "search_hidden": True, "only_fields": ["id", "name"]}
        found = self.call("projects.get_all", **mine)["projects"]
        self.past.projects = {project["name"]: project["id"] for project in found}
        time.sleep(TICK_SECONDS)
        scheduler = TriggerScheduler()
        for rule in numbered:
            add = getattr(scheduler, f"add_{rule.kind}_trigger")
            action = {} if rule["schedule_task_id"] else {"schedule_function": self._function(rule.name)}
            add(**rule.arguments, **action, name=rule.name)
        self.functions = {each.trigger.id: each.function for each in scheduler.declarations if each.function}
        self.triggers = [each.trigger for each in scheduler.declarations]
        self.world.declare(*self.triggers)
        self.original("begin", triggers=[(rule.kind, {**rule.arguments, "name": rule.name}) for rule in numbered])
        self.poll()

    def _named(self, arguments: Json) -> Json:
        project = arguments.get("trigger_project")
        return arguments | ({"trigger_project": self.name(project)} if project else {})

    def _function(self, name: str) -> Callable[[str], None]:
        return lambda object_id: self.calls.append((name, object_id))

    def poll(self) -> None:
        """Let both look at the server as it is now, and act on what they see."""
        self.past.snapshots.append(self._snapshot())
        self.past.right |= Counter(self._satisfied())
        known = {id_ for _, id_ in self.objects}
        self.past.theirs.update(tuple(call) for call in self.original("step") if call[1] in known)
        self.world.step()
        while call_one(self.world.ctx, self.functions):
            pass
        self.past.ours.update(call for call in self.calls if call[1] in known)
        self.calls.clear()
        time.sleep(TICK_SECONDS)

    def _snapshot(self) -> dict[str, Json]:
        tasks = [id_ for kind, id_ in self.objects if kind != "model"]
        models = [id_ for kind, id_ in self.objects if kind == "model"]
        found: list[Json] = []
        if tasks:
            found += self.call("tasks.get_all_ex", id=tasks, only_fields=TASK_FIELDS, search_hidden=True)["tasks"]
        if models:
            found += self.call("models.get_all_ex", id=models, only_fields=MODEL_FIELDS)["models"]
        return {item["id"]: item for item in found}

    def _satisfied(self) -> Iterator[tuple[str, str]]:
        """Triggers, and the objects changed since the poll before that satisfy them."""
        before, now = ({}, *self.past.snapshots)[-2:]
        for id_, item in now.items() if len(self.past.snapshots) > 1 else ():
            was = before.get(id_, {})
            if (item["last_change"], item.get("ready")) != (was.get("last_change"), was.get("ready")):
                event = decode_task(item) if "status" in item else decode_model(item)
                yield from ((trigger.name, id_) for trigger in self.triggers if matches(trigger, event))

    def differences(self) -> Iterable[tuple[Rule, str]]:
        """Triggers and objects for which the two have not fired equally often so far."""
        for name, object_id in self.past.theirs | self.past.ours:
            if self.past.theirs[name, object_id] != self.past.ours[name, object_id]:
                yield self.past.rules[name], object_id
