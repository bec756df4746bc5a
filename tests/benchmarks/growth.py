"""How Redis grows: an hour of a thousand firings a minute, from a shortened run through the ledger's own scripts.

Each firing is granted, claimed, launched, and ended; its record, its mark, and its entry among the launched stay, as
they do in production until their retention is over. What streams keep is bounded and counted once.

Then the same firings under budgets of a few megabytes: what Redis takes stays, however many there were, and no script
of the clean-up takes 5 ms. The objects are not on the server any more, so that every mark may go.
"""

from __future__ import annotations

import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from unittest.mock import patch

from tests.benchmarks.memory import grant
from tests.benchmarks.result import Bound, Result, load
from tests.benchmarks.server import new_ledger, redis, server, stages
from triggers.base.settings import Settings
from triggers.ledger import Ledger, connect
from triggers.ledger.firings import forgetting
from triggers.stages.budgets import keep_to_budgets

#: Nothing is too recent to be forgotten, ms.
KEPT_FOR_ALL_MS = 10 * 365 * 86_400_000

#: Firings of an hour at a thousand a minute, and those of the run.
HOUR, RUN = 60_000, 10_000
BUDGET_MB = Bound(most=200)
#: Budgets of the second part, megabytes, and how often `RUN` firings come there.
FEW_MB, TIMES = {"firings_megabytes": 5.0, "launched_megabytes": 0.5, "marks_megabytes": 0.5}, 3
KEPT_MB, SCRIPTS = Bound(most=sum(FEW_MB.values())), Bound(most=0)
SLOW_US = 5_000


def end_all(ledger: Ledger) -> None:
    """Launch every firing; the records stay."""
    while claimed := ledger.firings.claim("dispatch", 100, 60).firings:
        ledger.firings.launched_each([(firing, firing.key[-32:], "") for firing in claimed], "dispatch")


def measure(runs: int) -> list[Result]:
    """Once is enough: Redis counts bytes."""
    del runs
    with tempfile.TemporaryDirectory() as folder, redis(Path(folder)) as url, connect(url) as client:
        ledger = new_ledger(client, Settings())

        def used() -> int:
            info: Any = client.info("memory")
            return int(info["used_memory"])

        def of(*names: str) -> float:
            sizes: list[Any] = [client.memory_usage(name, samples=0) for name in names]
            return sum(int(size or 0) for size in sizes) / RUN

        before = used()
        grant(ledger, RUN)
        end_all(ledger)
        bounded = sum(
            int(client.memory_usage(name, samples=0) or 0) for name in (ledger.keys.history, ledger.keys.events)
        )  # type: ignore[arg-type]
        each = (used() - before - bounded) / RUN
        marks = of(ledger.keys.marks("task:t"))
        launched = of(ledger.keys.launched, ledger.keys.launched_times)
    hour_mb = (each * HOUR + bounded) / 1e6
    note = f"from {RUN:,} firings; streams {bounded / 1e6:.0f} MB"
    return [
        Result("`growth`: Redis bytes of an ended firing, kept 7 days", "bytes", (each - marks - launched,)),
        Result("`growth`: of the mark of its object, kept", "bytes", (marks,)),
        Result("`growth`: of its entry among the launched, kept 180 days", "bytes", (launched,)),
        Result("`growth`: an hour at 1,000 firings a minute", "MB", (hour_mb,), (), BUDGET_MB, note=note),
        *within_budgets(),
    ]


def within_budgets() -> list[Result]:
    """Firings without end, each round cleaned up as `reconcile` does every minute."""
    with ExitStack() as stack:
        world = stack.enter_context(stages(stack.enter_context(server())))
        stack.enter_context(patch.object(forgetting, "KEPT_MS", -KEPT_FOR_ALL_MS))
        client: Any = world.ledger.store.client
        world.declare(world.trigger(name="t"))
        world.ctx.settings = world.settings.model_copy(update=FEW_MB | {"sweep_window_seconds": 1.0})
        client.config_set("slowlog-log-slower-than", SLOW_US)
        empty = int(client.info("memory")["used_memory"])
        used, took, slow = [], [], 0
        for start in range(0, TIMES * RUN, RUN):
            grant(world.ledger, RUN, start)
            end_all(world.ledger)
            world.poll()  # all changes up to the launches are read
            world.settle()
            client.slowlog_reset()
            for _ in range(5):
                client.hdel(world.ledger.keys.forgetting, "next_ms")
                began = time.perf_counter()
                keep_to_budgets(world.ctx, 0)
                took.append((time.perf_counter() - began) * 1000)
            slow += len(client.slowlog_get(1_000))
            streams = sum(
                int(client.memory_usage(name, samples=0) or 0)
                for name in (world.ledger.keys.history, world.ledger.keys.events)
            )
            used.append((int(client.info("memory")["used_memory"]) - empty - streams) / 1e6)
    of = f"{TIMES * RUN:,} firings under budgets of {sum(FEW_MB.values()):g} MB"
    return [
        Result(
            f"`growth`: {of}, after each third",
            "MB",
            tuple(used),
            (),
            KEPT_MB,
            note="without streams, and without what an empty Redis takes",
        ),
        Result(f"`growth`: {of}, a round of forgetting", "ms", tuple(took)),
        Result(f"`growth`: {of}, commands of Redis over 5 ms", "commands", (float(slow),), (), SCRIPTS, note=load()),
    ]
