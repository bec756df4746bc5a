"""Many schedulers on one Redis, one process a role: how soon changes are launched, and what it costs at rest.

Each scheduler has one trigger on ClearML tasks of its own. Counted are Celery's messages, by what Redis says of its
commands, while nothing happens, and while nobody matches.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from statistics import quantiles
from typing import Any

import psutil

from tests.benchmarks.latency import changed, launched
from tests.benchmarks.rest import seconds
from tests.benchmarks.result import Bound, Result, load
from tests.benchmarks.server import Server, server
from tests.benchmarks.worker import Working, eventually, working
from triggers.base.broker import broker_prefix
from triggers.client.service_task import ServiceTask
from triggers.client.serving import ServingProcess
from triggers.ledger import Ledger
from triggers.model import make_trigger
from triggers.stages import table

#: Schedulers, and the seconds between two polls of each.
CASES = ((1, 1), (20, 1), (100, 1), (1, 5), (20, 5), (100, 5))
#: Threads of each role, as in deploy/.
ROLES = {"poll": 4, "match": 2, "dispatch": 8}
CHANGES, PAUSE = 100, (0.1, 0.3)
#: Over which messages are counted, seconds.
WINDOW = 10.0
#: The most schedulers at the finest pace: what two cores have to do.
GOAL = (100, 1)
MEDIAN_MS, SLOWEST_MS, MATCH_CPU = Bound(most=800), Bound(most=1_500), Bound(most=60)
#: Of each scheduler for each of its polls.
MESSAGES = Bound(most=2)


@dataclass(frozen=True, slots=True)
class Cluster:
    """Schedulers that are served, and the processes of the roles."""

    here: Working
    ledgers: list[Ledger]
    roles: dict[str, subprocess.Popen[bytes]]

    @property
    def client(self) -> Any:
        return self.here.ledger.store.client

    def messages(self) -> int:
        """Messages that were ever sent to Celery's queues."""
        return int(self.client.info("commandstats").get("cmdstat_lpush", {}).get("calls", 0))

    def commands(self) -> int:
        """Commands that Redis has ever carried out."""
        return int(self.client.info("stats")["total_commands_processed"])

    def waiting(self) -> int:
        """Messages that nobody has taken yet."""
        return sum(self.client.llen(broker_prefix() + queue) for queue in table.queues())

    def processor(self) -> dict[str, float]:
        """Processor time of each role so far, seconds."""
        return {role: seconds(psutil.Process(process.pid)) for role, process in self.roles.items()}


def measure(runs: int) -> list[Result]:
    """Each number at each pace once: a hundred changes each."""
    del runs
    return [row for number, pace in CASES for row in measured(number, pace)]


def measured(number: int, pace: int) -> list[Result]:
    """The rows of one number of schedulers at one pace."""
    what, aims = f"`schedulers`, {number} at {pace} s", (number, pace) == GOAL
    with cluster(number, pace) as of:
        at_rest, commands = counted(of)
        before, began = of.processor(), time.monotonic()
        found = quantiles(latencies(of, random.Random(number)), n=100)
        took = time.monotonic() - began
        used = {role: 100 * (after - before[role]) / took for role, after in of.processor().items()}
        left, behind = of.waiting(), backlog(of)
    note = f"{load()}; " + ", ".join(f"{role} {percent:.0f} %" for role, percent in used.items())
    polls = number * WINDOW / pace
    return [
        Result(
            f"{what}: change until enqueued, median", "ms", (found[49],), (), MEDIAN_MS if aims else None, note=note
        ),
        Result(f"{what}: the same, 95 of 100", "ms", (found[94],), (), SLOWEST_MS if aims else None),
        Result(f"{what}: processor of match", "% of a core", (used["match"],), (), MATCH_CPU if aims else None),
        Result(f"{what}: messages at rest", "1/s", (at_rest / WINDOW,)),
        Result(f"{what}: the same, of a scheduler and poll", "messages", (at_rest / polls,), (), MESSAGES),
        Result(f"{what}: the same, while nobody matches", "messages", (behind / polls,), (), MESSAGES),
        Result(f"{what}: Redis commands at rest, of a scheduler and poll", "commands", (commands / polls,)),
        Result(f"{what}: messages that wait at the end", "messages", (float(left),), (), Bound(most=number)),
    ]


@contextmanager
def cluster(number: int, pace: float, network_ms: float | None = None) -> Iterator[Cluster]:
    """So many schedulers, served by one process a role and a beat; all have polled."""
    with server() as of, working(of, network_ms) as here, ExitStack() as stack:
        ledgers = [declared(of, here, n, pace) for n in range(number)]
        roles = {}
        for role, threads in ROLES.items():
            roles[role] = stack.enter_context(here.process(role, threads=threads, name=role))
        roles["beat"] = stack.enter_context(here.beat())
        versions = [ledger.registry.version() for ledger in ledgers]
        for ledger, version in zip(ledgers, versions, strict=True):
            read = lambda ledger=ledger, version=version: ledger.reading.cursor("tasks").plan >= version  # noqa: E731
            eventually(read, "every scheduler has polled", seconds=120)
        yield Cluster(here, ledgers, roles)
        for ledger in ledgers:
            ledger.close()


def declared(of: Server, here: Working, number: int, pace: float) -> Ledger:
    """One more scheduler with its trigger."""
    name = f"service {number}"
    service = str(of.call("tasks.create", name=name, type="service")["id"])
    home = ServingProcess(ServiceTask(service, "bench", name, None), pace, here.settings)
    ledger = home.connect()
    action = {"type": "task", "base_task_id": here.base, "queue": "default"}
    parameters = {"parameters": {"Args/source": "${task.id}"}}
    condition = {"trigger_name": f"^run {number} ", "trigger_on_status": ["failed"]}
    home.register(ledger, [make_trigger("task", name="failed", action={**action, **parameters}, **condition)])
    return ledger


def counted(of: Cluster) -> tuple[int, int]:
    """Messages and commands of a window in which nothing changes; what happens once is over before."""
    time.sleep(WINDOW / 2)
    messages, commands = of.messages(), of.commands()
    time.sleep(WINDOW)
    return of.messages() - messages, of.commands() - commands


def latencies(of: Cluster, chance: random.Random) -> list[float]:
    """Milliseconds from each change to its launch in the queue; each is of one scheduler by chance."""
    made = run(of, chance)
    began, ended = changed(of.here.of, made), launched(of.here.of)
    return [ended[task] - began[task] for task in made]


def run(of: Cluster, chance: random.Random) -> list[str]:
    """Let ClearML tasks fail one after the other, until all that is launched for them is in the queue."""
    clearml, known = of.here.of, set(launched(of.here.of))
    names = [f"run {chance.randrange(len(of.ledgers))} {n}" for n in range(CHANGES)]
    made = [str(clearml.call("tasks.create", name=name, type="training")["id"]) for name in names]
    for task in made:
        clearml.call("tasks.started", task=task)
    for task in made:
        clearml.call("tasks.failed", task=task)
        time.sleep(chance.uniform(*PAUSE))
    eventually(lambda: set(made) <= set(launched(clearml)) - known, "all are launched", seconds=120)
    return made


def backlog(of: Cluster) -> int:
    """Messages of a window in which events come and the matcher is frozen."""
    os.kill(of.roles["match"].pid, signal.SIGSTOP)
    try:
        before, until = of.messages(), time.monotonic() + WINDOW
        while time.monotonic() < until:
            task = of.here.of.call("tasks.create", name="nobody's", type="training")["id"]
            of.here.of.call("tasks.started", task=task)
            of.here.of.call("tasks.failed", task=task)  # what no trigger can concern would not be stored
            time.sleep(0.5)
        return of.messages() - before
    finally:
        os.kill(of.roles["match"].pid, signal.SIGCONT)
