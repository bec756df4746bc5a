"""Samples of what processes and Redis use, and whether it stays flat. Judging is pure."""

from __future__ import annotations

import statistics
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import psutil

from tests.chaos.fleet import Fleet

#: what may grow from the second quarter to the last one: a part, and an amount, whichever is more
ALLOWED = {"MB": (0.05, 3.0), "files": (0.0, 2.0), "threads": (0.0, 1.0), "keys": (0.05, 50.0)}
MEGABYTE = 1 << 20
#: fewer samples say nothing about quarters
LEAST = 12

Figures = Mapping[str, float]


@dataclass(frozen=True)
class Verdict:
    """One figure over time: the medians of the second and of the last quarter."""

    name: str
    second: float
    last: float
    most: float
    flat: bool

    def __str__(self) -> str:
        figures = f"{self.second:10.1f} {self.last:10.1f} {self.most:10.1f}"
        return f"{self.name:28} {figures}  {'flat' if self.flat else 'GROWS'}"


def judge(name: str, values: Sequence[float]) -> Verdict:
    """Whether a figure stays flat; `name` ends with its unit."""
    quarter = len(values) // 4
    second = statistics.median(values[quarter : 2 * quarter])
    last = statistics.median(values[-quarter:])
    part, amount = ALLOWED[name.rpartition(" ")[2]]
    return Verdict(name, second, last, max(values), last - second <= max(part * second, amount))


def of_process(name: str, pid: int) -> Figures:
    """Memory that is a process's own or its part of what is shared, its open files and threads."""
    process = psutil.Process(pid)
    with process.oneshot():
        return {
            f"{name} MB": process.memory_full_info().pss / MEGABYTE,
            f"{name} files": float(process.num_fds()),
            f"{name} threads": float(process.num_threads()),
        }


def of_fleet(fleet: Fleet) -> Figures:
    """The figures of every process of a fleet, and what Redis holds."""
    found: dict[str, float] = {}
    for name in fleet.names:
        found |= of_process(name, fleet.pid(name))
    assert fleet.redis.pid
    found |= of_process("redis", fleet.redis.pid)
    memory: Any = fleet.client.info("memory")
    keys: Any = fleet.client.dbsize()
    return found | {"redis used MB": memory["used_memory"] / MEGABYTE, "redis keys": float(keys)}


class Sampler(threading.Thread):
    """Samples every few seconds until it is stopped."""

    def __init__(self, look: Callable[[], Figures], every_seconds: float) -> None:
        super().__init__(name="sampler", daemon=True)
        self.look, self.every_seconds = look, every_seconds
        self.samples: list[Figures] = []
        self._ended = threading.Event()

    def run(self) -> None:
        """Sample."""
        while not self._ended.wait(self.every_seconds):
            try:
                self.samples.append(self.look())
            except psutil.Error:  # a process is being started again: its starts are counted elsewhere
                time.sleep(0.1)

    def verdicts(self) -> list[Verdict]:
        """Stop, and judge every figure."""
        self._ended.set()
        self.join()
        if len(self.samples) < LEAST:
            raise ValueError(f"{len(self.samples)} samples are too few: let it run longer or sample more often")
        names = [name for name in self.samples[-1] if all(name in sample for sample in self.samples)]
        return [judge(name, [sample[name] for sample in self.samples]) for name in names]
