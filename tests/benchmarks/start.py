"""What importing costs, and how long `start()` takes until the first poll has been made."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from tests.benchmarks.result import Bound, Result, load
from tests.benchmarks.script import STARTED, running
from tests.benchmarks.server import as_a_user, server
from tests.benchmarks.worker import eventually

IMPORTING = "import time; t = time.process_time(); from {} import TriggerScheduler; {}; print(time.process_time() - t)"
FIRST = "TriggerScheduler().add_task_trigger('base', 'queue', trigger_on_status=['failed'])"
BOUND, START_BOUND = Bound(most=1, of="ratio"), Bound(most=1.2)
#: Calls by which each polls.
POLLS = {"triggers": "tasks.get_all_ex", "clearml.automation": "tasks.get_all"}


def measure(runs: int) -> list[Result]:
    """Both in turn; importing by processor time, starting by the server's log."""
    imports: dict[str, list[float]] = {package: [] for package in POLLS}
    starts: dict[str, list[float]] = {package: [] for package in POLLS}
    for _ in range(runs):
        for package in POLLS:
            imports[package].append(importing(package))
            starts[package].append(starting(package))
    ours, theirs = POLLS
    note = f"with the first trigger added {importing(ours, FIRST):.2f} s"
    return [
        Result(
            "importing TriggerScheduler, processor time", "s", tuple(imports[ours]), tuple(imports[theirs]), BOUND,
            note=note,
        ),
        Result(
            "start() until the first poll", "s", tuple(starts[ours]), tuple(starts[theirs]), START_BOUND, note=load()
        ),
    ]  # fmt: skip


def importing(package: str, then: str = "pass") -> float:
    """Processor seconds of one import in a process of its own."""
    code = IMPORTING.format(package, then)
    command, env = [sys.executable, "-c", code], as_a_user()
    return float(subprocess.run(command, capture_output=True, text=True, check=True, env=env).stdout)


def starting(package: str) -> float:
    """Seconds from the call of `start()` in a script to its first poll, by the server's log."""
    with server() as of, tempfile.TemporaryDirectory() as folder, running(of, package, 1, Path(folder)) as process:
        assert process.stdout is not None
        began = next(float(line.split()[1]) for line in process.stdout if line.startswith(STARTED))

        def polls() -> list[float]:
            return [entry["at"] for entry in of.since(0) if entry["endpoint"] == POLLS[package] and entry["at"] > began]

        eventually(polls, f"{package} polls", seconds=60)
        return polls()[0] - began
