"""At rest: local mode with a hundred triggers polls once a second and finds nothing. Processor time and memory."""

from __future__ import annotations

import tempfile
import threading
import time
from pathlib import Path
from typing import IO

import psutil

from tests.benchmarks.result import Bound, Result
from tests.benchmarks.script import running, tree
from tests.benchmarks.server import server
from tests.benchmarks.start import POLLS
from tests.benchmarks.worker import eventually

TRIGGERS = 100
#: Until what happens once at the start is over, and over which processor time is summed; seconds.
SETTLE, WINDOW = 12.0, 30.0
CPU_BOUND, MEMORY_BOUND = Bound(most=2), Bound(most=1.25, of="ratio")


def measure(runs: int) -> list[Result]:
    """Both in turn, all processes of each: user, child and Redis here, the script and the SDK's there."""
    cpu: dict[str, list[float]] = {package: [] for package in POLLS}
    memory: dict[str, list[float]] = {package: [] for package in POLLS}
    parts: list[str] = []
    for _ in range(runs):
        for package in POLLS:
            used, taken, shares = resting(package)
            cpu[package].append(used)
            memory[package].append(taken)
            parts.append(shares)
    ours, theirs = POLLS
    return [
        Result(
            "at rest, 1 s polls, 100 triggers: processor", "% of a core", tuple(cpu[ours]), tuple(cpu[theirs]),
            CPU_BOUND, note=parts[0],
        ),
        Result(
            "at rest, 1 s polls, 100 triggers: memory (PSS)", "MB", tuple(memory[ours]), tuple(memory[theirs]),
            MEMORY_BOUND,
        ),
    ]  # fmt: skip


def resting(package: str) -> tuple[float, float, str]:
    """Percent of a core over the window, megabytes at its end, and both for each process."""
    with (
        server() as of,
        tempfile.TemporaryDirectory() as folder,
        running(of, package, TRIGGERS, Path(folder)) as process,
    ):
        assert process.stdout is not None
        threading.Thread(target=_drain, args=(process.stdout,), daemon=True).start()
        eventually(lambda: [e for e in of.since(0) if e["endpoint"] == POLLS[package]], "it polls", seconds=60)
        time.sleep(SETTLE)
        before, began = {one: seconds(one) for one in tree(process.pid)}, time.monotonic()
        time.sleep(WINDOW)
        took = time.monotonic() - began
        used = {one: 100 * (seconds(one) - before.get(one, 0.0)) / took for one in tree(process.pid)}
        taken = {one: one.memory_full_info().pss / 1e6 for one in used}
        shown = ", ".join(f"{part_of(one)} {used[one]:.1f} % {taken[one]:.0f} MB" for one in used)
        return sum(used.values()), sum(taken.values()), shown


def seconds(process: psutil.Process) -> float:
    """Processor time of a process so far."""
    times = process.cpu_times()
    return float(times.user + times.system)


def part_of(process: psutil.Process) -> str:
    """Which of the processes it is."""
    command = " ".join(process.cmdline())
    return "Redis" if "redis" in command else "script" if "script.py" in command else "worker"


def _drain(output: IO[str]) -> None:
    for _ in output:
        pass
