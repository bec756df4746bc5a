"""`clearml-triggers list`, as a person waits for it, with a hundred triggers registered."""

from __future__ import annotations

import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from tests.benchmarks.idle import declared
from tests.benchmarks.result import Bound, Result, load
from tests.benchmarks.server import as_a_user, server
from tests.benchmarks.worker import working
from triggers.model import make_trigger

TRIGGERS, EACH = 100, 5
BOUND = Bound(most=200)
#: A terminal that shows all columns.
WIDTH = "120"
VERB = str(Path(sys.executable).with_name("clearml-triggers"))


def measure(runs: int) -> list[Result]:
    """Wall time, into a pipe and on a terminal, beside that of a Python which does nothing, in turn."""
    ours, drawn, bare, cpu = [], [], [], []
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
            drawn.append(timed([VERB, "list"], COLUMNS=WIDTH)[0])
    note = f"{sorted(cpu)[len(cpu) // 2]:.0f} ms of processor time; {load()}"
    return [
        Result("clearml-triggers list", "ms", tuple(ours), tuple(bare), BOUND, "python -c pass", note),
        Result("the same on a terminal", "ms", tuple(drawn), tuple(bare), None, "python -c pass"),
    ]


def timed(command: Sequence[str], **more: str) -> tuple[float, float]:
    """Wall and processor time of a program, ms. `more`: environment variables."""
    before, began = _used_by_children(), time.perf_counter()
    subprocess.run(command, check=True, capture_output=True, env={**as_a_user(), **more})
    return (time.perf_counter() - began) * 1000, (_used_by_children() - before) * 1000


def _used_by_children() -> float:
    """Processor time of the processes that have ended, seconds; `os.times` counts in hundredths only."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
