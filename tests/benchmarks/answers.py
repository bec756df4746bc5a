"""What reading Redis' answers costs a process: redis-py with hiredis, beside redis-py's own reader."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.benchmarks.result import Bound, Result, load
from tests.benchmarks.server import redis

#: Calls of each kind, and fields of what is read: as a firing has them.
CALLS, FIELDS = 5_000, 30
BOUND = Bound(most=1, of="ratio")
#: Before redis-py is imported, it makes redis-py read answers itself.
WITHOUT = "import sys; sys.modules['hiredis'] = None; "


def measure(runs: int) -> list[Result]:
    """Processor time of the reading process, both in turn on one Redis."""
    names = ("GET", f"HGETALL of {FIELDS} fields", "a matcher's 20,000 events")
    ours: dict[str, list[float]] = {name: [] for name in names}
    theirs: dict[str, list[float]] = {name: [] for name in names}
    for _ in range(runs):
        for found, first in ((theirs, WITHOUT), (ours, "")):
            code = f"{first}from tests.benchmarks import answers; answers.main()"
            done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
            for name, figure in zip(names, json.loads(done.stdout), strict=True):
                found[name].append(figure)
    units = ("µs", "µs", "s")
    return [
        Result(f"processor time of {name}", unit, tuple(ours[name]), tuple(theirs[name]), BOUND, "own reader", load())
        for name, unit in zip(names, units, strict=True)
    ]


def timed(do: Callable[[], object], times: int = 1) -> float:
    """Processor seconds of one call."""
    began = time.process_time()
    for _ in range(times):
        do()
    return (time.process_time() - began) / times


def figures() -> list[float]:
    """Of this process, as it was started."""
    from tests.benchmarks import ledger
    from triggers.base.settings import Settings
    from triggers.ledger import connect
    from triggers.stages.match import match

    with tempfile.TemporaryDirectory() as folder, redis(Path(folder)) as url, connect(url) as client:
        client.hset("firing", mapping={f"field {n}": "v" * 40 for n in range(FIELDS)})
        single = [timed(lambda: client.get("nothing"), CALLS), timed(lambda: client.hgetall("firing"), CALLS)]
        ctx = ledger.context(client, Settings())
        ledger.store(ctx, ledger.quiet(1))
        matched = timed(lambda: [match(ctx, partition) for partition in range(ctx.settings.partitions)])
        return [*(each * 1e6 for each in single), matched]


def main() -> None:
    """Print the figures of this process."""
    print(json.dumps(figures()))
