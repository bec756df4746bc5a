"""What 10, 1,000 and 10,000 registered triggers cost: verbs, a turn of sync, a worker's memory, Redis at rest.

Redis notes every script that takes longer than 5 ms for as long as the measure runs: there has to be none.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from statistics import median
from typing import Any

import psutil

from tests.benchmarks.burst import queued
from tests.benchmarks.idle import declared
from tests.benchmarks.listing import VERB, timed
from tests.benchmarks.result import Bound, Result, load
from tests.benchmarks.server import server
from tests.benchmarks.worker import Working, eventually, working
from triggers.clearml_api import service
from triggers.configuration.writing import dump
from triggers.model import make_trigger
from triggers.stages.sync import sync

NUMBERS = (10, 1_000, 10_000)
ROLES = ("poll", "match", "dispatch")
#: Ticks of each stage that the worker gets while Redis' output is counted. In one of them or two, sync looks at the
#: service task, which it does every 20 s while something happens: the median of all is what a tick at rest costs.
TICKS = 9
SLOW_US = 5_000
VERB_MS, SCRIPTS, WORKER_MB = Bound(most=1_500), Bound(most=0), Bound(most=100)


def measure(runs: int) -> list[Result]:
    """One after the other, each on a server and a Redis of its own."""
    return [result for number in NUMBERS for result in measured(number, runs)]


def measured(number: int, runs: int) -> list[Result]:
    """All figures of one number of triggers."""
    with server() as of, working(of) as here:
        client: Any = here.ledger.store.client
        client.config_set("slowlog-log-slower-than", SLOW_US)
        client.slowlog_reset()
        action = {"type": "task", "base_task_id": here.base, "queue": "default"}
        triggers = [make_trigger(kind, action=action, **fields) for kind, fields in declared(number)]
        registering = [clocked(lambda: here.home.register(here.ledger, triggers))]
        file = here.folder / "triggers.yaml"
        file.write_text(dump(triggers), encoding="utf-8")
        verbs = {"list": [], "diff": ["-f", str(file)], "apply": ["-f", str(file)]}
        times = {verb: [timed([VERB, verb, *more])[0] for _ in range(runs)] for verb, more in verbs.items()}
        first, others = synced(here, runs)
        memory, output = at_rest(here)
        slow = [one for one in client.slowlog_get(1_000) if b"EVAL" in _bytes(one["command"]).upper()]
    of_them, note = f"`registry`, {number:,} triggers", load()
    roles = ", ".join(f"{role} {size:.0f}" for role, size in memory.items())
    return [
        Result(f"{of_them}: register", "ms", tuple(registering), note=note),
        *(Result(f"{of_them}: {verb}", "ms", tuple(found), (), VERB_MS) for verb, found in times.items()),
        Result(f"{of_them}: first turn of sync", "ms", (first,)),
        Result(f"{of_them}: a turn that reads unchanged sections", "ms", others),
        Result(f"{of_them}: largest worker (PSS)", "MB", (max(memory.values()),), (), WORKER_MB, note=roles),
        Result(f"{of_them}: Redis' output for a tick of poll, reconcile and sync", "kB", (output,)),
        Result(f"{of_them}: scripts over 5 ms", "scripts", (float(len(slow)),), (), SCRIPTS),
    ]


def clocked(do: Callable[[], object]) -> float:
    """How long something takes, ms."""
    began = time.perf_counter()
    do()
    return (time.perf_counter() - began) * 1000


def synced(here: Working, runs: int) -> tuple[float, tuple[float, ...]]:
    """The turn that writes everything, and those that read the sections and find them unchanged, ms."""
    ctx, scheduler = here.home.context(here.ledger), replace(here.home.scheduler, sync_seconds=0.001)
    first = clocked(lambda: sync(ctx, scheduler))
    return first, tuple(clocked(lambda: sync(ctx, scheduler)) for _ in range(runs))


def at_rest(here: Working) -> tuple[dict[str, float], float]:
    """Memory of each role once it has worked, MB, and what Redis sends for a tick of each stage, kB."""
    client: Any = here.ledger.store.client
    with ExitStack() as stack:
        workers = {role: stack.enter_context(here.process(role, threads=4, name=role)) for role in ROLES}
        here.send("poll")
        eventually(lambda: here.ledger.reading.cursor("tasks").read_to_ms, "it has polled", seconds=60)
        time.sleep(2)  # what it does once is done
        sent = []
        for _ in range(TICKS):
            before = client.info("stats")["total_net_output_bytes"]
            for stage in ("poll", "reconcile", "sync"):
                here.send(stage)
            time.sleep(1.1)  # the pace of polls
            sent.append(client.info("stats")["total_net_output_bytes"] - before)
        launched(here)
        edited(here)
        pss = {role: psutil.Process(worker.pid).memory_full_info().pss / 2**20 for role, worker in workers.items()}
    return pss, median(sent) / 1000


def launched(here: Working) -> None:
    """Let the first trigger launch, so that every role has read the registry."""
    task = here.of.call("tasks.create", name="run 0", type="training")["id"]
    here.of.call("tasks.started", task=task)
    here.of.call("tasks.failed", task=task)
    here.send("poll")
    eventually(lambda: queued(here.of), "it is launched", seconds=60)


def edited(here: Working) -> None:
    """Let a person edit one entry of the largest section, and workers take it over and poll for it."""
    ctx, task, version = (
        here.home.context(here.ledger),
        here.home.scheduler.service_task,
        here.ledger.registry.version(),
    )
    found = service.read(ctx.api, task)
    assert found is not None
    items = json.loads(found.sections["tasks"])
    items[0]["match_name"] = "^edited$"
    service.write_sections(ctx.api, task, {"tasks": json.dumps(items)}, {})
    here.ledger.store.client.hset(here.ledger.keys.sync, "read_ms", "0")  # the sections are due
    here.send("sync")
    eventually(lambda: here.ledger.registry.version() > version, "the edit is taken over", seconds=120)
    eventually(lambda: _polled_since(here, version), "it is polled for", seconds=60)
    lease = here.ledger.keys.lease("sync")
    eventually(lambda: not here.ledger.store.client.exists(lease), "the turn is over: what stays is meant", seconds=60)


def _polled_since(here: Working, version: int) -> bool:
    """Send ticks, as beat does: one that comes within a second of the last poll is not due."""
    here.send("poll")
    return here.ledger.reading.cursor("tasks").plan > version


def _bytes(command: Any) -> bytes:
    return command if isinstance(command, bytes) else str(command).encode()
