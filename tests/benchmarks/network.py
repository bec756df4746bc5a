"""A network between workers and Redis: change → launch, and launches a second, at trips of 0, 5, and 50 ms."""

from __future__ import annotations

import random
from statistics import quantiles

from tests.benchmarks.granted import granted_rate
from tests.benchmarks.result import Bound, Result, load
from tests.benchmarks.schedulers import cluster, latencies
from tests.benchmarks.server import server
from tests.benchmarks.worker import working

#: A trip there and back, ms.
TRIPS = (0, 5, 50)
THREADS = 8
MEDIAN_MS, RATE = Bound(most=1_000), Bound(least=500)


def measure(runs: int) -> list[Result]:
    """Both at each distance."""
    rows = []
    for trip in TRIPS:
        what = f"`network`, trips to Redis of {trip} ms"
        medians, slowest = [], []
        for run in range(min(runs, 2)):
            with cluster(1, 1.0, trip) as of:
                found = quantiles(latencies(of, random.Random(run)), n=100)
            medians.append(found[49])
            slowest.append(found[94])
        rows += [
            Result(f"{what}: change until enqueued at 1 s polls, median", "ms", tuple(medians), (), MEDIAN_MS),
            Result(f"{what}: the same, 95 of 100", "ms", tuple(slowest), note=load()),
            Result(
                f"{what}: launches a second, one process of {THREADS} threads", "1/s",
                tuple(rate(trip) for _ in range(runs)), (), RATE, note=load(),
            ),
        ]  # fmt: skip
    return rows


def rate(trip: float) -> float:
    """Launches a second of one worker process."""
    with server() as of, working(of, trip) as here:
        return granted_rate(of, here, 1, THREADS)
