"""From a change to its launch in the queue, at one poll a second and light load, by the server's own times."""

from __future__ import annotations

import random
import tempfile
import threading
import time
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from statistics import quantiles

from tests.benchmarks.rest import _drain
from tests.benchmarks.result import Bound, Result, load
from tests.benchmarks.script import running
from tests.benchmarks.server import Server, server
from tests.benchmarks.start import POLLS
from tests.benchmarks.worker import eventually

TRIGGERS = 10
#: Changes of one run, and between two of them, seconds: at all moments of a poll alike.
CHANGES, PAUSE = 200, (0.1, 0.3)
MEDIAN_BOUND, SLOWEST_BOUND = Bound(most=600), Bound(most=1300)


def measure(runs: int) -> list[Result]:
    """Median and 99th percentile of each run."""
    medians, slowest = [], []
    for run in range(runs):
        found = latencies(random.Random(run))
        medians.append(quantiles(found, n=100)[49])
        slowest.append(quantiles(found, n=100)[98])
    return [
        Result("change until enqueued at 1 s polls, median", "ms", tuple(medians), bound=MEDIAN_BOUND, note=load()),
        Result("change until enqueued at 1 s polls, 99 of 100", "ms", tuple(slowest), bound=SLOWEST_BOUND, note=load()),
    ]


def latencies(chance: random.Random) -> list[float]:
    """Milliseconds of each change, local mode running as a user's script."""
    with (
        server() as of,
        tempfile.TemporaryDirectory() as folder,
        running(of, "triggers", TRIGGERS, Path(folder)) as process,
    ):
        assert process.stdout is not None
        threading.Thread(target=_drain, args=(process.stdout,), daemon=True).start()
        eventually(lambda: [e for e in of.since(0) if e["endpoint"] == POLLS["triggers"]], "it polls", seconds=60)
        return followed(of, [f"run {n % TRIGGERS} x" for n in range(CHANGES)], chance, PAUSE)


def followed(of: Server, names: Sequence[str], chance: random.Random, pause: tuple[float, float]) -> list[float]:
    """Let ClearML tasks of these names fail one after the other; milliseconds of each until its launch is enqueued."""
    made = [of.call("tasks.create", name=name, type="training")["id"] for name in names]
    for task in made:
        of.call("tasks.started", task=task)
    for task in made:
        of.call("tasks.failed", task=task)
        time.sleep(chance.uniform(*pause))
    eventually(lambda: len(launched(of)) >= len(made), "all are launched", seconds=60)
    began, ended = changed(of, made), launched(of)
    return [ended[task] - began[task] for task in made]


def changed(of: Server, ids: list[str]) -> dict[str, float]:
    """When each ClearML task failed, ms."""
    found = of.call("tasks.get_all", id=ids, only_fields=["id", "status_changed"])["tasks"]
    return {one["id"]: milliseconds(one["status_changed"]) for one in found}


def launched(of: Server) -> dict[str, float]:
    """When the launch for each ClearML task was enqueued, ms."""
    fields = ["status_changed", "hyperparams"]
    found = of.call("tasks.get_all", status=["queued"], only_fields=fields)["tasks"]
    return {one["hyperparams"]["Args"]["source"]["value"]: milliseconds(one["status_changed"]) for one in found}


def milliseconds(text: str) -> float:
    """A time of the server."""
    return datetime.fromisoformat(text).timestamp() * 1000
