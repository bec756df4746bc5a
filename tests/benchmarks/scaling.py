"""How throughput grows with processes: the same load on 1, 2, 4, 8 dispatch and 1, 2, 4 match processes.

    python -m tests.benchmarks.scaling [--firings 400] [--events 20000]

Each dispatch process has two threads, and every call to the ClearML API takes 50 ms more, so that waiting for the
API is what limits them, as in production. Matching is computation: it grows with cores, not with processes.
Prints the tables of docs/deployment.md.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.conftest import redis_binaries
from tests.deploy.hosts import eventually
from triggers.base.settings import Settings
from triggers.client.service_task import ServiceTask
from triggers.client.serving import ServingProcess
from triggers.ledger.matching.changes import Grant, MarkChange
from triggers.ledger.polling.batches import encode_batches, partition_of
from triggers.ledger.polling.reading import Cursor
from triggers.local.redis_server import PrivateRedis
from triggers.model import make_trigger
from triggers.model.events import Event
from triggers.sandbox.client import Client, Control

ROOT = Path(__file__).parents[2]
CALL_SECONDS = 0.05
THREADS = 2


class World:
    """A sandbox in a process of its own, a Redis, one scheduler; no beat, so that nothing else runs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.redis = PrivateRedis(folder / "redis", server=list(redis_binaries().values())[-1])
        self.url = self.redis.start()
        command = ["-m", "triggers", "sandbox", "--port", "0", "--env", "--access-key", "K", "--secret-key", "S"]
        self.sandbox = subprocess.Popen(
            [sys.executable, *command], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        assert self.sandbox.stdout
        lines = [self.sandbox.stdout.readline() for _ in range(5)]
        self.clearml = dict(line.strip().removeprefix("export ").split("=", 1) for line in lines)
        os.environ.update(self.clearml)
        server = self.clearml["CLEARML_API_HOST"]
        self.control, self.client = Control(server), Client(server, "K", "S")
        self.settings = Settings(redis_url=self.url, max_per_minute=0)
        service, self.base = (self._task(name) for name in ("service", "base"))
        self.home = ServingProcess(ServiceTask(service, "bench", "service", None), 3600, self.settings)
        self.ledger = self.home.connect()
        action = {"type": "task", "base_task_id": self.base, "queue": "default"}
        triggers = [
            make_trigger(
                "task", name=f"trigger {n}", action=action, trigger_on_status=["failed"], trigger_name=f"^t{n}$"
            )
            for n in range(50)
        ]
        self.home.register(self.ledger, triggers)
        self._round = 0

    def _task(self, name: str) -> str:
        return str(self.client.call("tasks.create", {"name": name, "type": "training"})["id"])

    def events(self, number: int) -> list[Event]:
        """Changes of which each concerns one trigger."""
        self._round += 1
        values: dict[str, Any] = {"project": "", "tags": (), "system_tags": (), "status": "failed", "ready": False}
        now = int(time.time() * 1000)
        return [
            Event(
                "task", f"{self._round:016x}{n:016x}", now, f"t{n % 50}", type="training", metrics={}, task="", **values
            )
            for n in range(number)
        ]

    def store(self, events: list[Event]) -> None:
        """As a poll would."""
        now = int(time.time() * 1000)
        with self.ledger.reading.poll(pace_seconds=1, lease_seconds=60, force=True) as token:
            assert token
            batches = encode_batches(events, plan=1, polled_ms=now, partitions=16, size=100)
            cursor = Cursor(read_to_ms=now)
            self.ledger.reading.commit("tasks", token, cursor, events[:1], batches, forget_before_ms=0, server_ms=now)

    def due(self) -> int:
        return int(self.ledger.store.client.zcard(self.ledger.keys.due("dispatch")))

    def workers(self, queue: str, processes: int) -> list[subprocess.Popen[bytes]]:
        """Worker processes that are ready."""
        environ = {**os.environ, "TRIGGERS_REDIS_URL": self.url, "TRIGGERS_MAX_PER_MINUTE": "0"}
        started = []
        for n in range(processes):
            with (self.folder / f"{queue}{n}.log").open("wb") as log:
                command = ["-m", "celery", "-A", "workers", "worker", "-Q", queue, "-n", f"{queue}{n}@here"]
                options = [f"--concurrency={THREADS if queue == 'dispatch' else 1}", "--loglevel=INFO"]
                started.append(
                    subprocess.Popen(
                        [sys.executable, *command, *options], cwd=ROOT, env=environ, stdout=log, stderr=log
                    )
                )
        for n in range(processes):
            path = self.folder / f"{queue}{n}.log"
            eventually(lambda path=path: " ready." in path.read_text(), "a worker is ready", seconds=120)
        return started

    def timed(self, queue: str, processes: int, load: Callable[[], None], done: Callable[[], bool]) -> float:
        """Seconds that so many processes need for a load."""
        from workers.app import app

        started = self.workers(queue, processes)
        try:
            load()
            began = time.perf_counter()
            scheduler = self.ledger.scheduler
            hints = [(scheduler, p) for p in range(16)] if queue == "match" else [(scheduler,)] * processes * THREADS
            for arguments in hints:
                app.send_task(f"triggers.{queue}", args=arguments)
            eventually(done, "the load is worked off", seconds=300)
            return time.perf_counter() - began
        finally:
            for process in started:
                process.kill()
                process.wait()

    def dispatching(self, processes: int, firings: int) -> float:
        """Launches a second."""
        events = self.events(firings)
        self.control.fault("delay", seconds=CALL_SECONDS)

        def load() -> None:
            self.grant(events)

        seconds = self.timed("dispatch", processes, load, lambda: self.due() == 0)
        self.control.clear_faults()
        return firings / seconds

    def grant(self, events: list[Event]) -> None:
        """As a matcher would."""
        self.store(events)
        by_partition: dict[int, list[Event]] = {}
        for event in events:
            by_partition.setdefault(partition_of(event.id, 16), []).append(event)
        from triggers.ledger import leases
        from triggers.ledger.firings.firing import firing_key

        ledger = self.ledger
        for partition in ledger.reading.waiting_partitions():
            with leases.held(ledger.store, ledger.keys, f"match:{partition}", 60) as token:
                while text := ledger.reading.first_batch(partition):
                    head, *lines = text.split("\n")
                    changes = []
                    for event in map(Event.from_json, lines):
                        trigger = f"task:trigger {event.name[1:]}"
                        key = firing_key(ledger.scheduler, trigger, event.id, 1)
                        grant = Grant(
                            key,
                            trigger,
                            "task",
                            event.id,
                            1,
                            event.changed_ms,
                            event.changed_ms,
                            event.to_json(),
                            "dispatch",
                        )
                        changes.append(MarkChange(trigger, event.id, "", f"1:1:{event.changed_ms}:1", grant))
                    assert token
                    ledger.matching.commit(partition, token, head, changes)

    def matching(self, processes: int, events: int) -> float:
        """Events a second; a fiftieth of them fires."""
        changes = self.events(events)
        quiet = [self._quiet(event) if n % 50 else event for n, event in enumerate(changes)]
        done = lambda: not self.ledger.reading.waiting_partitions()  # noqa: E731
        rate = events / self.timed("match", processes, lambda: self.store(quiet), done)
        self.ledger.store.client.delete(self.ledger.keys.due("dispatch"))
        return rate

    @staticmethod
    def _quiet(event: Event) -> Event:
        from dataclasses import replace

        return replace(event, status="completed")

    def close(self) -> None:
        """End everything."""
        self.sandbox.kill()
        self.sandbox.wait()
        self.redis.stop()


def table(title: str, unit: str, rates: dict[int, float]) -> str:
    """A table for the docs."""
    first = next(iter(rates.values()))
    rows = [f"| {n} | {rate:,.0f} | {rate / first:.1f} |" for n, rate in rates.items()]
    return "\n".join([f"| {title} | {unit} | ratio |", "|---|---|---|", *rows])


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--firings", type=int, default=400)
    parser.add_argument("--events", type=int, default=20_000)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        world = World(Path(folder))
        os.environ["TRIGGERS_REDIS_URL"] = world.url
        try:
            launches = {n: world.dispatching(n, asked.firings) for n in (1, 2, 4, 8)}
            matches = {n: world.matching(n, asked.events) for n in (1, 2, 4)}
        finally:
            world.close()
    print(table("dispatch processes", "launches a second", launches), end="\n\n")
    print(table("match processes", "events a second", matches), end="\n\n")
    print(json.dumps({"cores": os.cpu_count(), "load": os.getloadavg()}))


if __name__ == "__main__":
    main()
