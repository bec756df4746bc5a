"""How Redis grows: an hour of a thousand firings a minute, from a shortened run through the ledger's own scripts.

Each firing is granted, claimed, launched, and ended; its record, its mark, and its entry among the launched stay, as
they do in production until their retention is over. What streams keep is bounded and counted once.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from tests.benchmarks.memory import grant
from tests.benchmarks.result import Bound, Result
from tests.benchmarks.server import new_ledger, redis
from triggers.base.settings import Settings
from triggers.ledger import Ledger, connect

#: Firings of an hour at a thousand a minute, and those of the run.
HOUR, RUN = 60_000, 10_000
BUDGET_MB = Bound(most=200)


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
    ]
