"""What dispatch processes launch of firings that were granted before: no poll and no match takes part."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Final

from tests.benchmarks.burst import HALF, change, polls, register
from tests.benchmarks.rate import seconds
from tests.benchmarks.server import Server
from tests.benchmarks.worker import Working, eventually

LAUNCHES: Final = 2 * HALF


def granted_rate(of: Server, here: Working, processes: int, threads: int) -> float:
    """Launches a second of so many dispatch processes of so many threads each."""
    register(here)
    with ExitStack() as stack:
        with here.process("poll", "match", threads=2, name="poll"):
            here.send("poll")
            eventually(lambda: polls(of.since(0)), "the first poll", seconds=60)
            change(of)
            here.send("poll")
            eventually(lambda: here.due() == LAUNCHES, "all are granted", seconds=120)
        here.celery.control.purge()
        for n in range(processes):
            stack.enter_context(here.process("dispatch", threads=threads, name=f"dispatch{n}"))
        last = of.last()
        for _ in range(processes * threads):
            here.send("dispatch", here.ledger.scheduler)
        eventually(lambda: here.due() == 0, "all are launched", seconds=300)
        return LAUNCHES / seconds(of.since(last))
