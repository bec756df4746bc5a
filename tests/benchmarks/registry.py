"""What 10, 1,000 and 10,000 registered triggers cost: verbs, a turn of sync, a worker's memory, Redis at rest.

Redis notes every script that takes longer than 5 ms for as long as the measure runs: there has to be none.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from tests.benchmarks.idle import declared
from tests.benchmarks.listing import VERB, timed
from tests.benchmarks.result import Bound, Result, load
from tests.benchmarks.server import server
from tests.benchmarks.worker import Working, eventually, working
from triggers.configuration.writing import dump
from triggers.model import make_trigger
from triggers.stages.sync import sync

NUMBERS = (10, 1_000, 10_000)
#: Ticks of each stage that the worker gets while Redis' output is counted.
TICKS = 5
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
    return [
        Result(f"{of_them}: register", "ms", tuple(registering), note=note),
        *(Result(f"{of_them}: {verb}", "ms", tuple(found), (), VERB_MS) for verb, found in times.items()),
        Result(f"{of_them}: first turn of sync", "ms", (first,)),
        Result(f"{of_them}: a turn that reads unchanged sections", "ms", others),
        Result(f"{of_them}: memory of a worker (PSS)", "MB", (memory,), (), WORKER_MB),
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


def at_rest(here: Working) -> tuple[float, float]:
    """Memory of a worker that has the registry, MB, and what Redis sends for a tick of each stage, kB."""
    client: Any = here.ledger.store.client
    with here.process("poll", "match", threads=4) as worker:
        here.send("poll")
        eventually(lambda: here.ledger.reading.cursor("tasks").read_to_ms, "it has polled", seconds=60)
        time.sleep(2)  # what it does once is done
        before = client.info("stats")["total_net_output_bytes"]
        for _ in range(TICKS):
            for stage in ("poll", "reconcile", "sync"):
                here.send(stage)
            time.sleep(1.1)  # the pace of polls
        sent = client.info("stats")["total_net_output_bytes"] - before
        pss = Path(f"/proc/{worker.pid}/smaps_rollup").read_text(encoding="ascii")
    return int(pss.partition("Pss:")[2].split()[0]) / 1024, sent / 1000 / TICKS


def _bytes(command: Any) -> bytes:
    return command if isinstance(command, bytes) else str(command).encode()
