"""One scheduler under test: its Redis, its worker processes, the objects that change, the runs that are counted."""

from __future__ import annotations

import itertools
import os
import signal
import threading
from collections import Counter
from collections.abc import Callable, Iterable
from functools import cached_property
from pathlib import Path
from typing import Any

from tests.conftest import redis_binaries
from tests.crash.edges import FOLDER, Control, copy_append_only_file
from tests.crash.nursery import Nursery
from tests.crash.processes import Server, Workers, eventually
from tests.crash.worker_main import CALLER
from tests.integration.actions.receiver import Receiver
from triggers import sources
from triggers.base.settings import Settings
from triggers.client.service_task import ServiceTask
from triggers.client.serving import ServingProcess
from triggers.ledger.history.history import HistoryEntry
from triggers.local.redis_server import PrivateRedis
from triggers.model import Trigger, make_trigger
from triggers.model.launch_tags import scheduler_tag
from triggers.model.schedule_fields import SCHEDULE
from triggers.rules.recovery import DRAFT

#: everything that waits waits for a short time
SETTINGS = {
    "lease_seconds": 1.0,
    "reconcile_seconds": 0.5,
    "retry_base_seconds": 0.2,
    "request_timeout_seconds": 3.0,
    "overlap_seconds": 10.0,
    "partitions": 4,
    "concurrency": 4,
    "function_modules": "tests.*",
    "webhook_allow": "127.0.0.1",
}
#: calls that end a launch
ENDING_CALLS = frozenset(f"tasks.{name}" for name in ("completed", "failed", "stopped", "delete"))
ENDED = frozenset({"launched", "skipped", "dead"})
_numbers = itertools.count(1)


class World:
    """Everything of one scheduler. Used by one thread."""

    def __init__(
        self,
        server: Server,
        folder: Path,
        *,
        workers: int = 1,
        module: str = "worker_main",
        nursery: Nursery | None = None,
        agent: bool = True,
        **settings: Any,
    ) -> None:
        self.name = f"world {next(_numbers)}"
        self.server, self.folder = server, folder
        self.client, self.sandbox = server.client(), server.control()
        self.boss_name = f"{self.name}: by hand"
        self.boss = server.client(self.boss_name)
        self.redis = PrivateRedis(folder / "redis", server=_binary())
        url = self.redis.start()
        self.settings = Settings(redis_url=url, **(SETTINGS | settings))
        self.project = self.call("projects.create", name=self.name)["id"]
        self.queue = self.call("queues.create", name=self.name)["id"]
        self.agents: list[int] = []
        self.hired: list[int] = []
        if agent:
            self.hire()
        self.service = self.create_task("service task")
        self.base = self.create_task("base task", script={"branch": "old", "repository": "r", "entry_point": "e.py"})
        self.home = ServingProcess(ServiceTask(self.service, self.name, self.name, None), 1.0, self.settings)
        self.ledger = self.home.connect()
        self.control = Control(folder / "control")
        chosen = {f"TRIGGERS_{name.upper()}": str(value) for name, value in (SETTINGS | settings).items()}
        environment = {**server.environment, **chosen, "TRIGGERS_REDIS_URL": url, FOLDER: str(folder / "control")}
        environment |= {"CRASH_TEST_SCHEDULER": self.home.scheduler.id, "CRASH_TEST_CALLS": str(folder / "calls")}
        environment[CALLER] = self.name
        self.workers = Workers(environment, folder / "workers.log", module=module, nursery=nursery)
        self._faults: list[int] = []
        self._sources: dict[str, str] = {}
        self.registered: tuple[Trigger, ...] = ()
        self.wanted_workers = workers

    # ---- the server ----
    def call(self, endpoint: str, **body: Any) -> Any:
        return self.client.call(endpoint, body)

    def create_task(self, name: str = "some task", **fields: Any) -> str:
        body = {"name": name, "type": "training", "project": self.project} | fields
        return str(self.call("tasks.create", **body)["id"])

    def fail_task(self, **fields: Any) -> str:
        """A ClearML task that has failed: a change."""
        id_ = self.create_task(**fields)
        self.call("tasks.started", task=id_)
        self.call("tasks.failed", task=id_)
        return id_

    def launched(self) -> list[dict[str, Any]]:
        """The ClearML tasks that carry this scheduler's mark: drafts, launches, copies of them."""
        mark = scheduler_tag(self.home.scheduler.id)
        found = self.call("tasks.get_all", system_tags=["__$any", mark], search_hidden=True, order_by=["created"])
        return list(found["tasks"])

    def drafts(self) -> set[str]:
        return {task["id"] for task in self.launched() if task["status"] == DRAFT}

    def runs(self) -> Counter[str]:
        """How many runs of this scheduler's launches agents have started, by the object that was the cause."""
        return Counter(source for source, _ in self._starts())

    def run_starts_of(self, object_id: str) -> list[float]:
        """When agents started what was launched for an object, or that very ClearML task."""
        return [start["at"] for source, start in self._starts() if object_id in (source, start["task"])]

    def source_of(self, launched: str) -> str:
        """The object that was the cause of a launch that has run, "" of one that has not."""
        return self._sources.get(launched, "")

    def _starts(self) -> list[tuple[str, dict[str, Any]]]:
        """The runs that agents have started, each with its cause; the base task is its own."""
        starts = self.sandbox.run_starts()
        if unknown := {start["task"] for start in starts} - self._sources.keys():
            mark = scheduler_tag(self.home.scheduler.id)
            fields = ["id", "hyperparams", "system_tags"]
            for task in self.call("tasks.get_all", id=list(unknown), only_fields=fields, search_hidden=True)["tasks"]:
                source = task.get("hyperparams", {}).get("Args", {}).get("source", {}).get("value", task["id"])
                self._sources[task["id"]] = source if mark in task["system_tags"] else ""
        known = [(self._sources.get(start["task"], ""), start) for start in starts]
        return [(source, start) for source, start in known if source]

    def hire(self, outcome: str = "complete", **options: Any) -> int:
        """One more agent on this world's queue."""
        self.agents.append(self.sandbox.agent(self.queue, outcome, **options))
        self.hired.append(self.agents[-1])
        return self.agents[-1]

    def dismiss(self) -> None:
        """No agents any more; what they run goes on."""
        while self.agents:
            self.sandbox.dismiss(self.agents.pop())

    def most_at_once(self) -> int:
        """How many launches were queued or running at the same time at most, by the order of the server's log."""
        others = {self.boss_name, *(f"sandbox-agent:{number}" for number in self.hired)}
        now = most = 0
        for entry in self.sandbox.requests():
            caller, endpoint = entry["caller"], entry["endpoint"]
            assert (caller, endpoint) != (self.name, "tasks.enqueue_many"), "several at once"
            if entry["status"] == 200 and endpoint == "tasks.enqueue" and caller in (self.name, self.boss_name):
                now += 1
            elif entry["status"] == 200 and endpoint in ENDING_CALLS and caller in others:
                now -= 1
            most = max(most, now)
        return most

    def fault(self, kind: str, endpoint: str, **options: Any) -> None:
        """A fault that hits this world's workers only."""
        self._faults.append(self.sandbox.fault(kind, endpoint, caller=self.name, **options))

    def clear_faults(self) -> None:
        while self._faults:
            self.sandbox.clear_faults(self._faults.pop())

    def calls(self) -> Counter[str]:
        """How often the function was called for each object."""
        file = self.folder / "calls"
        return Counter(line.split()[0] for line in file.read_text().splitlines()) if file.exists() else Counter()

    @cached_property
    def receiver(self) -> Receiver:
        """Takes the webhooks of this world."""
        return Receiver()

    # ---- the scheduler ----
    def trigger(self, kind: Any = "task", name: str = "on failure", **fields: Any) -> Trigger:
        action = {"type": "task", "base_task_id": self.base, "queue": self.name} | fields.pop("action", {})
        if action["type"] == "function":
            action = {name: action[name] for name in ("type", "reference", "name")}
        elif not action.get("reuse_task"):
            action.setdefault("parameters", {"Args/source": f"${{{kind}.id}}"})
        if action.get("query"):
            action.pop("base_task_id")
        if kind == "task":
            fields = {"trigger_on_status": ["failed"]} | fields
        return make_trigger(kind, name=name, action=action, **({"trigger_project": self.name} | fields))

    def begin(self, *triggers: Trigger) -> None:
        """Register as a script does, and start the workers."""
        self.register(*triggers)
        self.workers.add(self.wanted_workers)
        self.wait_for_poll()

    def register(self, *triggers: Trigger) -> None:
        self.registered = triggers or self.registered
        self.home.register(self.ledger, self.registered)

    def wait_for_poll(self) -> None:
        """The present registry has been polled once."""
        version, reading = self.ledger.registry.version(), self.ledger.reading
        names = {sources.of_kind(trigger.kind).name for trigger in self.registered}
        eventually(
            lambda: all(reading.cursor(source).plan >= version for source in names),
            f"{self.name} is polled\n{self.log()}",
        )

    def history(self, object_id: str) -> list[HistoryEntry]:
        return [entry for entry in self.ledger.history.read(count=100_000) if entry.object == object_id]

    def ended(self, objects: Iterable[str]) -> bool:
        """Whether the firings of all these objects have ended."""
        done = {entry.object for entry in self.ledger.history.read(count=100_000) if entry.what in ENDED}
        return done >= set(objects)

    def ended_at(self, objects: Iterable[str]) -> float:
        """When the last of their firings ended."""
        return max(entry.at_ms for id_ in objects for entry in self.history(id_) if entry.what in ENDED) / 1000

    def has_strays(self) -> bool:
        return bool(self.ledger.store.client.zcard(self.ledger.keys.strays))

    # ---- Redis ----
    def kill_redis(self, then: Callable[[], None] = lambda: None) -> None:
        """Kill Redis, do something to its files, start it again."""
        pid = self.redis.pid
        assert pid
        os.kill(pid, signal.SIGKILL)
        eventually(lambda: not self.redis.is_alive, "Redis ends")
        then()
        self.redis.start()
        self.ledger.adopt_epoch()

    def roll_back_to(self, snapshot: Path) -> None:
        """Kill Redis and start it with an older append-only file."""

        def replace() -> None:
            self.delete_append_only_file()
            copy_append_only_file(snapshot, self.folder / "redis")

        self.kill_redis(replace)

    def wait_for_epoch(self) -> None:
        """The workers have met the new run of Redis: they have polled in it, or read its clock."""
        if all(trigger.kind == SCHEDULE for trigger in self.registered):
            now_ms, reading = self.ledger.wall_ms(), self.ledger.reading
            eventually(
                lambda: reading.cursor("clock").read_to_ms > now_ms, f"{self.name} reads the clock\n{self.log()}"
            )
            return
        eventually(lambda: self.ledger.adopt_epoch().server_ms, f"{self.name} is polled in the new epoch\n{self.log()}")

    def delete_append_only_file(self) -> None:
        for file in (self.folder / "redis").glob("appendonly*"):
            for part in [*file.glob("*"), file] if file.is_dir() else [file]:
                part.rmdir() if part.is_dir() else part.unlink()

    def stop(self) -> None:
        """End every process of this world."""
        self.workers.stop()
        self.dismiss()
        self.boss.close()
        self.ledger.store.client.close()
        self.home.api.close()
        self.redis.stop()
        self.client.close()
        self.sandbox.close()
        if "receiver" in vars(self):
            self.receiver.close()

    def log(self) -> str:
        """The end of what the workers wrote."""
        file = self.folder / "workers.log"
        return file.read_text()[-4000:] if file.exists() else ""


_turn = itertools.cycle(redis_binaries().values())
_turns = threading.Lock()


def _binary() -> str:
    """The servers of this machine in turn, so that each kind meets crashes."""
    with _turns:
        return next(_turn)
