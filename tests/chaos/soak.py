"""A soak: many firings, then many polls, on the roles of the compose file; nothing may grow once retention is over.

    python -m tests.chaos.soak [--firings 100000] [--polls 3600] [--pace 0.04] [--json]

Two hundred objects change again and again (`fire="while_true"`, so that no mark is added); every launch runs and is
deleted by its agent. What has ended is forgotten after a minute. The polls are as many as an hour has at the pace of
one a second, made by the same workers at 25 a second; `--pace 1` lets them take the hour. Prints a table; ends with 1
if a figure grows or a launch is missing or doubled.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from tests.chaos.fleet import Fleet
from tests.chaos.samples import Sampler, Verdict, of_fleet
from tests.crash.processes import Server, eventually
from triggers.base.settings import Settings
from triggers.client.service_task import ServiceTask
from triggers.client.serving import ServingProcess
from triggers.ledger.deployment import schedulers
from triggers.model import make_trigger

OBJECTS = 200
MINUTE = str(60 / 86_400)
SETTINGS = {
    "retention_days": MINUTE,
    "launched_days": MINUTE,
    "history_length": "1000",
    "sweep_every_seconds": "30",
    "sweep_window_seconds": "60",
    "max_per_minute": "0",
}
#: what our own calls to the ClearML server are logged under
CALLER = "clearml-triggers"
#: no progress for so long is the end, seconds
STALLED_SECONDS = 180.0


class Soak:
    """One scheduler on a fleet, with one trigger and the objects that it fires for."""

    def __init__(self, folder: Path, server: Server) -> None:
        self.server, self.control, self.client = server, server.control(), server.client("soak")
        self.fleet = Fleet(folder, server, settings=SETTINGS, cut=False)
        self.control.agent("default", "delete")
        self.project = self.client.call("projects.create", {"name": "soak"})["id"]
        service, base = self._task("service"), self._task("base")
        settings = Settings(redis_url=self.fleet.redis_url, **SETTINGS)  # type: ignore[arg-type]
        self.home = ServingProcess(ServiceTask(service, "soak", "service", None), 1.0, settings)
        self.ledger = self.home.connect()
        trigger = make_trigger(
            "task",
            name="at every change",
            trigger_project="soak",
            trigger_name="^object",
            action={"type": "task", "base_task_id": base, "queue": "default", "parameters": {"Args/of": "${task.id}"}},
            policy={"fire": "while_true", "max_per_minute": 0},
        )
        self.fleet.start()
        version = self.home.register(self.ledger, [trigger]).version
        eventually(lambda: self.ledger.reading.cursor("tasks").plan >= version, "it is polled", seconds=120)
        self.objects = [self._task(f"object {n}") for n in range(OBJECTS)]
        self.rounds = 0
        self.fired = OBJECTS  # for having been made
        self._wait_for_runs()

    def _task(self, name: str) -> str:
        body = {"name": name, "type": "training", "project": self.project}
        return str(self.client.call("tasks.create", body)["id"])

    def change(self, number: int) -> None:
        """Let so many objects change at once, and wait until their launches have run."""
        self.rounds += 1
        tags = {"add_tags": [f"round {self.rounds}"], "remove_tags": [f"round {self.rounds - 1}"]}
        self.client.call("tasks.update_tags", {"ids": self.objects[:number], **tags})
        self.fired += number
        self._wait_for_runs()

    def runs(self) -> int:
        """Launches that the agent has started, each time it did."""
        return self.control.counts().get("tasks.started", 0)

    def polls(self) -> int:
        """Polls of ClearML tasks so far."""
        return self.control.counts(CALLER).get("tasks.get_all_ex", 0)

    def _wait_for_runs(self) -> None:
        progress(lambda: self.runs(), self.fired, "launches run")

    def fire(self, firings: int) -> None:
        """Change objects until there were so many firings more."""
        until = self.fired + firings
        while self.fired < until:
            self.change(min(OBJECTS, until - self.fired))

    def poll(self, polls: int, pace_seconds: float) -> None:
        """Let the workers poll so often; now and then something has changed. Faster than beat ticks, we do."""
        from triggers.stages.table import TICK_SECONDS
        from workers.app import app

        faster = pace_seconds < TICK_SECONDS
        if faster:
            schedulers.put(self.fleet.client, replace(self.home.scheduler, poll_seconds=pace_seconds / 2))
        before, changed = self.polls(), 0
        while (made := self.polls() - before) < polls:
            if faster:
                app.send_task("triggers.poll")
            if made // 100 > changed:
                changed += 1
                self.change(1)
            time.sleep(pace_seconds)
        schedulers.put(self.fleet.client, self.home.scheduler)

    def restarts(self) -> list[str]:
        """The processes that did not live through it."""
        return [name for name, service in self.fleet.services.items() if service.starts > 1]

    def close(self) -> None:
        """End everything."""
        self.home.api.close()
        self.ledger.store.client.close()
        self.fleet.stop()
        self.client.close()
        self.control.close()


def progress(look: Callable[[], int], wanted: int, what: str) -> None:
    """Wait for a count as long as it rises."""
    last, since = look(), time.monotonic()
    while last < wanted:
        time.sleep(0.1)
        if (now := look()) > last:
            last, since = now, time.monotonic()
        elif time.monotonic() - since > STALLED_SECONDS:
            raise AssertionError(f"{what}: {last} of {wanted}, and none for {STALLED_SECONDS:.0f} s")


@dataclasses.dataclass
class Phase:
    """What was done and what it used."""

    name: str
    count: int
    seconds: float
    verdicts: list[Verdict]

    def table(self) -> str:
        """For people."""
        rate = self.count / self.seconds
        head = f"{self.name}: {self.count} in {self.seconds:.0f} s, {rate:.0f} a second"
        columns = f"{'':28} {'2nd quart.':>10} {'last':>10} {'most':>10}"
        return "\n".join([head, columns, *map(str, self.verdicts)])


def phase(soak: Soak, name: str, count: int, do: Callable[[int], None], every_seconds: float) -> Phase:
    """Do something, sampled."""
    sampler = Sampler(lambda: of_fleet(soak.fleet), every_seconds)
    sampler.start()
    began = time.monotonic()
    do(count)
    seconds = time.monotonic() - began
    found = Phase(name, count, seconds, sampler.verdicts())
    print(found.table(), flush=True)
    return found


def main(arguments: list[str] | None = None) -> int:
    """Soak, print, 0 if everything stays flat."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.soak", description=__doc__)
    parser.add_argument("--firings", type=int, default=100_000)
    parser.add_argument("--polls", type=int, default=3_600)
    parser.add_argument("--pace", type=float, default=0.04, help="seconds between two polls")
    parser.add_argument("--every", type=float, default=5.0, help="seconds between two samples")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON too")
    asked = parser.parse_args(arguments)
    server = Server()
    os.environ.update(server.environment)
    with tempfile.TemporaryDirectory() as folder:
        soak = Soak(Path(folder), server)
        try:
            phases = []
            if asked.firings:
                phases.append(phase(soak, "firings", asked.firings, soak.fire, asked.every))
            if asked.polls:
                at_pace = partial(soak.poll, pace_seconds=asked.pace)
                phases.append(phase(soak, "polls", asked.polls, at_pace, asked.every))
            wrong = [str(verdict) for one in phases for verdict in one.verdicts if not verdict.flat]
            wrong += [f"{name} was started again" for name in soak.restarts()]
            if soak.runs() != soak.fired:
                wrong.append(f"{soak.fired} firings, {soak.runs()} runs")
            dead: Any = soak.fleet.client.zcard(soak.ledger.keys.dead)
            print(
                f"{soak.fired} firings, {soak.runs()} runs, {dead} dead letters; restarts: {soak.restarts() or 'none'}"
            )
        finally:
            soak.close()
            server.stop()
    if asked.json:
        print(json.dumps([dataclasses.asdict(one) for one in phases]))
    print("not flat or not right:\n" + "\n".join(wrong) if wrong else "flat")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
