"""`clearml-triggers list`, as a person waits for it, with a hundred triggers registered."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from tests.benchmarks.idle import declared
from tests.benchmarks.result import Bound, Result, load
from tests.benchmarks.server import server
from tests.benchmarks.worker import working
from triggers.model import make_trigger

TRIGGERS, EACH = 100, 5
BOUND = Bound(most=300)
VERB = str(Path(sys.executable).with_name("clearml-triggers"))


def measure(runs: int) -> list[Result]:
    """Wall time, beside that of a Python which does nothing, in turn."""
    ours, bare, cpu = [], [], []
    with server() as of, working(of) as here:
        action = {"type": "task", "base_task_id": here.base, "queue": "default"}
        here.home.register(
            here.ledger, [make_trigger(kind, action=action, **fields) for kind, fields in declared(TRIGGERS)]
        )
        timed([VERB, "list"])  # the first reads files from disk
        for _ in range(runs * EACH):
            bare.append(timed([sys.executable, "-c", "pass"])[0])
            wall, used = timed([VERB, "list"])
            ours.append(wall)
            cpu.append(used)
    note = f"{sorted(cpu)[len(cpu) // 2]:.0f} ms of processor time; {load()}"
    return [Result("clearml-triggers list", "ms", tuple(ours), tuple(bare), BOUND, "python -c pass", note)]


def timed(command: Sequence[str]) -> tuple[float, float]:
    """Wall and processor time of a program, ms."""
    # as a user has it: a Python that may keep no compiled modules compiles each that changed at every start
    environ = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    before, began = _used_by_children(), time.perf_counter()
    subprocess.run(command, check=True, capture_output=True, env=environ)
    return (time.perf_counter() - began) * 1000, (_used_by_children() - before) * 1000


def _used_by_children() -> float:
    """Processor time of the processes that have ended, seconds; `os.times` counts in hundredths only."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
