"""A world to run the stages in: the sandbox over HTTP, a real Redis, and the stages called one after the other."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from tests.servers import VERIFIED, running
from triggers.actions.launching import reads
from triggers.base.settings import Settings
from triggers.clearml_api import Api, Credentials, server_now_ms
from triggers.context import Context
from triggers.ledger import Ledger
from triggers.ledger.history.history import HistoryEntry
from triggers.model import Trigger, make_trigger
from triggers.model.action import LANES
from triggers.model.launch_tags import FIRING, value_of
from triggers.sandbox import Sandbox
from triggers.stages.act import act
from triggers.stages.crew import Crew
from triggers.stages.dispatch import dispatch
from triggers.stages.match import match
from triggers.stages.poll import Polled, poll
from triggers.stages.reconcile import reconcile


class Hints:
    """Keeps hints until the world follows them."""

    def __init__(self) -> None:
        self.partitions: list[int | None] = []
        self.dispatches = 0
        self.acts = 0
        self.others: set[str] = set()  # schedulers whose hints lie in the queues

    def send(self, stage: str, scheduler: str, *where: int) -> None:
        if stage == "match":
            self.partitions.append(None)  # any
        elif stage == "act":
            self.acts += 1
        else:
            self.dispatches += 1

    def message(self, stage: str, scheduler: str) -> None: ...

    def waiting(self, stage: str, first: int | None = None) -> set[str]:
        return self.others


class World:
    """One scheduler and the server it watches."""

    def __init__(self, sandbox: Sandbox, ledger: Ledger, settings: Settings) -> None:
        self.sandbox, self.ledger, self.settings = sandbox, ledger, settings
        self.client = sandbox.client("world")
        self.hints = Hints()
        self.api = Api(
            Credentials(sandbox.url, sandbox.access_key, sandbox.secret_key, verify=True), timeout_seconds=60
        )
        self.service = self.create_task("service task")
        self.base = self.create_task("base task", hyperparams={"Args": {"a": _parameter("Args", "a", "1")}})
        self.ctx = self.context()

    def context(self, **settings: Any) -> Context:
        """The scheduler as another worker process would see it."""
        return Context(
            ledger=self.ledger,
            api=self.api,
            settings=self.settings.model_copy(update=settings),
            hints=self.hints,
            epoch=self.ledger.adopt_epoch(),
            service_task=self.service,
        )

    # ---- the server ----
    def call(self, endpoint: str, **body: Any) -> Any:
        return self.client.call(endpoint, body)

    def create_task(self, name: str = "some task", type: str = "training", **fields: Any) -> str:
        return str(self.call("tasks.create", name=name, type=type, **fields)["id"])

    def tick(self) -> None:
        """Let a second of the server's time pass: it is in whole milliseconds, and what follows is later by it."""
        if VERIFIED:
            time.sleep(0.005)
            return
        ahead = self.sandbox.control.clock()["offset_seconds"]
        self.sandbox.control.clock(offset_seconds=ahead + 1)

    def fail_task(self, **fields: Any) -> str:
        id_ = self.create_task(**fields)
        self.call("tasks.started", task=id_)
        self.call("tasks.failed", task=id_)
        return id_

    def queue_entries(self, name: str = "default") -> list[str]:
        (queue,) = self.call("queues.get_all", name=f"^{name}$", only_fields=["entries"])["queues"]
        return [entry["task"] for entry in queue["entries"]]

    def clones(self, **filters: Any) -> list[dict[str, Any]]:
        """What this scheduler cloned, oldest first."""
        mark = f"clearml-triggers:scheduler:{self.ledger.scheduler}"
        filters = {"system_tags": ["__$any", mark], "order_by": ["created"], "search_hidden": True} | filters
        known = {self.base, self.service}
        return [t for t in self.call("tasks.get_all_ex", **filters)["tasks"] if t["id"] not in known]

    def runs(self) -> Counter[str]:
        """Enqueued ClearML tasks of this scheduler by firing key."""
        return Counter(value_of(FIRING, t["system_tags"]) for t in self.clones() if t["status"] != "created")

    # ---- the scheduler ----
    def trigger(self, kind: str = "task", name: str = "on failure", **fields: Any) -> Trigger:
        action = {"type": "task", "base_task_id": self.base, "queue": "default"} | fields.pop("action", {})
        if "query" in action:
            action.pop("base_task_id")
        if kind == "task" and not any(name.startswith("trigger_") for name in fields):
            fields["trigger_on_status"] = ["failed"]
        return make_trigger(kind, name=name, action=action, **fields)

    def declare(self, *triggers: Trigger) -> None:
        self.ledger.registry.declare(triggers, origin="script", server_now_ms=server_now_ms(self.api, self.service))

    def pause(self, trigger: Trigger, paused: bool = True) -> None:
        self.ledger.registry.edit(lambda known, _: {trigger.id: replace(known.entries[trigger.id], paused=paused)})

    def poll(self, ctx: Context | None = None) -> Polled:
        polled = poll(ctx or self.ctx, pace_seconds=1, force=True)
        assert polled is not None
        return polled

    def match(self, ctx: Context | None = None) -> None:
        """Match what was read; nothing is carried out."""
        while self.hints.partitions:
            match(ctx or self.ctx, self.hints.partitions.pop())

    def settle(self, ctx: Context | None = None, crew: Crew | None = None) -> None:
        """Follow hints until there are none; wait for what goes to receivers, unless a crew does it."""
        ctx = ctx or self.ctx
        while self.hints.partitions or self.hints.dispatches or self.hints.acts:
            if self.hints.partitions:
                match(ctx, self.hints.partitions.pop())
            elif self.hints.dispatches:
                self.hints.dispatches = 0
                dispatch(ctx)
            else:
                self.hints.acts = 0
                act(ctx, crew)

    def step(self, ctx: Context | None = None) -> None:
        """Poll, match and dispatch what there is."""
        self.poll(ctx)
        self.settle(ctx)

    def reconcile(self) -> None:
        assert reconcile(self.ctx) is not None
        self.settle()

    def history(self, what: str | None = None) -> list[HistoryEntry]:
        return [entry for entry in self.ledger.history.read(count=100_000) if what in (None, entry.what)]

    def launched_before(self, task_id: str, seconds: float) -> None:
        """Let a launch be so long ago that everything about it is visible."""
        self.ledger.store.client.zincrby(self.ledger.keys.launched_times, -1000 * seconds, task_id)

    def calls_are_over(self) -> None:
        """Let so much time pass that no enqueue of what is recorded can arrive any more."""
        client, keys = self.ledger.store.client, self.ledger.keys
        past_ms = self.ledger.now_ms() - reads.call_over_ms(self.ctx, 0) - 1
        for key in client.scan_iter(keys.firing("*")):
            recorded: Any = client.hget(key, "recorded_ms")
            if recorded and int(recorded) > past_ms:
                client.hset(key, "recorded_ms", past_ms)

    def lose_hints(self) -> None:
        """Let every hint that was sent be lost, so long ago that it is missed."""
        self.hints.partitions.clear()
        self.hints.dispatches = self.hints.acts = 0
        client, name = self.ledger.store.client, self.ledger.keys.hinted
        for stage in client.hkeys(name):
            client.hset(name, stage, 0)

    def expire_leases(self) -> None:
        """Let every lease expire now, and every pause end."""
        for lane in LANES:
            due = self.ledger.keys.due(lane)
            for key in map(str, self.ledger.store.client.zrange(due, 0, -1)):
                self.ledger.store.client.zadd(due, {key: 0})
                firing = self.ledger.keys.firing(key)
                if self.ledger.store.client.hexists(firing, "withdrawn_ms"):
                    self.ledger.store.client.hset(firing, "withdrawn_ms", 0)


def _parameter(section: str, name: str, value: str) -> dict[str, str]:
    return {"section": section, "name": name, "value": value}


@pytest.fixture(scope="session")
def server() -> Iterator[Sandbox]:
    yield from running()


@pytest.fixture
def world(server: Sandbox, ledger: Ledger, settings: Settings) -> Iterator[World]:
    server.control.reset()
    world = World(server, ledger, settings)
    yield world
    world.client.close()
