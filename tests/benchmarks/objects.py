"""What 100,000 and a million ClearML tasks that are there already cost: nothing, beside an empty server.

The sandbox is filled before it listens. A seventh of the tasks satisfies the trigger's condition; they changed before
it was registered. The first poll reads what changed since then, and a later change of one of them fires once.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from tests.benchmarks import sandbox
from tests.benchmarks.result import Bound, Result, load
from tests.benchmarks.server import Server, server, stages
from tests.integration.stages.conftest import World
from triggers.sandbox import Sandbox

NUMBERS = (0, 100_000, 1_000_000)
#: Beside a server without any tasks.
REDIS, MEGABYTES, REQUESTS, FIRINGS = Bound(most=1.1, of="ratio"), Bound(most=5), Bound(most=1), Bound(most=1)


def measure(runs: int) -> list[Result]:
    """Each number on a server and a Redis of its own; the empty one stands beside."""
    del runs
    (_, nothing), *others = [(number, measured(number)) for number in NUMBERS]
    return [
        Result(
            f"`objects`, {number:,} tasks: {what}",
            unit,
            (found[what],),
            (nothing[what],),
            bound,
            beside="an empty server",
            note=load(),
        )
        for number, found in others
        for what, (unit, bound) in ROWS.items()
    ]


ROWS: dict[str, tuple[str, Bound | None]] = {
    "first poll": ("ms", None),
    "requests of the first poll": ("requests", REQUESTS),
    "requests of an idle poll": ("requests", REQUESTS),
    "Redis after the first poll": ("kB", REDIS),
    "memory of the worker": ("MB", MEGABYTES),
    "an existing task changes: firings": ("firings", FIRINGS),
    "the same: poll to launched": ("ms", None),
}


def _fill(number: int, of: Sandbox) -> None:
    if number:
        sandbox.fill(of, number)


def measured(number: int) -> dict[str, float]:
    """All figures of one number of tasks."""
    with server(fill=partial(_fill, number)) as of, stages(of) as world:
        world.declare(world.trigger(trigger_on_tags=["tag 3"]))
        before_kb, before_mb = redis_kilobytes(world), own_megabytes()
        first, first_requests = counted(of, world.poll)
        world.settle()
        _, idle_requests = counted(of, world.poll)
        kilobytes, megabytes = redis_kilobytes(world) - before_kb, own_megabytes() - before_mb
        changed = world.fail_task(tags=["tag 3"]) if not number else existing(world)
        world.call("tasks.edit", task=changed, comment="changed", force=True)
        took, _ = counted(of, world.step)
        return {
            "first poll": first,
            "requests of the first poll": first_requests,
            "requests of an idle poll": idle_requests,
            "Redis after the first poll": kilobytes,
            "memory of the worker": megabytes,
            "an existing task changes: firings": float(sum(world.runs().values())),
            "the same: poll to launched": took,
        }


def existing(world: World) -> str:
    """One of the oldest tasks that satisfy the condition."""
    query = {"tags": ["tag 3"], "order_by": ["created"], "page": 0, "page_size": 1, "only_fields": ["id"]}
    return str(world.call("tasks.get_all", **query)["tasks"][0]["id"])


def counted(of: Server, do: Callable[[], object]) -> tuple[float, float]:
    """How long something takes, ms, and how many requests it makes."""
    before, began = of.last(), time.perf_counter()
    do()
    return (time.perf_counter() - began) * 1000, float(len(of.since(before)))


def redis_kilobytes(world: World) -> float:
    """What Redis uses."""
    info: Any = world.ledger.store.client.info("memory")
    return int(info["used_memory"]) / 1000


def own_megabytes() -> float:
    """The memory of this process, which polls, matches and dispatches."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1_000_000
