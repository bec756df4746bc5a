"""At a genuine server's pace: launches a second beside a bare client, and how soon a change is launched meanwhile."""

from __future__ import annotations

import random
from contextlib import ExitStack
from statistics import quantiles

from tests.benchmarks.burst import polls
from tests.benchmarks.genuine_pace import Paced
from tests.benchmarks.granted import LAUNCHES, granted_rate
from tests.benchmarks.latency import followed
from tests.benchmarks.rate import bare, seconds
from tests.benchmarks.result import Bound, Result, load
from tests.benchmarks.server import Server, server
from tests.benchmarks.worker import Working, eventually, working
from triggers.model import make_trigger

PROCESSES, THREADS = (1, 2, 4), 2
RATE_BOUND = Bound(least=0.95, of="ratio")
#: 200 launches a minute, at all moments of a poll alike; and how many are counted.
PAUSE, CHANGES = (0.2, 0.4), 150
POLL_MS, MORE_MS = 1000, 300
LATENCY_BOUND = Bound(most=POLL_MS + MORE_MS)


def measure(runs: int) -> list[Result]:
    """Rates with one, two, and four dispatch processes; latency with two of them, a poller, and a matcher."""
    rows = []
    for processes in PROCESSES:
        ours, theirs = [], []
        for _ in range(runs):
            with server(wrap=Paced) as of, working(of) as here:
                theirs.append(bare_rate(of, here, processes * THREADS))
                ours.append(granted_rate(of, here, processes, THREADS))
        what = f"launches a second at a genuine server's pace, {processes} dispatch processes of {THREADS} threads"
        rows.append(Result(what, "1/s", tuple(ours), tuple(theirs), RATE_BOUND, "bare HTTP client", load()))
    slowest = [quantiles(latencies(random.Random(run)), n=100)[98] for run in range(runs)]
    what = "change until enqueued at that pace, 200 launches a minute, 1 s polls, 99 of 100"
    return [*rows, Result(what, "ms", tuple(slowest), bound=LATENCY_BOUND, note=load())]


def bare_rate(of: Server, here: Working, threads: int) -> float:
    """Launches a second of a bare client with as many threads."""
    queue = of.call("queues.get_all", name="^default$")["queues"][0]["id"]
    token = of.client("bare").call("auth.login")["token"]
    last = of.last()
    bare(of, token, here.base, queue, threads=threads)
    return LAUNCHES / seconds(of.since(last))


def latencies(chance: random.Random) -> list[float]:
    """Milliseconds of each change until its launch is in the queue, on a cluster with a beat."""
    with server(wrap=Paced) as of, working(of) as here, ExitStack() as stack:
        action = {"type": "task", "base_task_id": here.base, "queue": "default"}
        parameters = {"parameters": {"Args/source": "${task.id}"}}
        trigger = make_trigger("task", name="failed", action={**action, **parameters}, trigger_on_status=["failed"])
        here.home.register(here.ledger, [trigger])
        for name in ("poll", "match", "dispatch", "dispatch"):
            stack.enter_context(here.process(name, threads=4, name=f"{name}{len(name)}{chance.random()}"))
        stack.enter_context(here.beat())
        eventually(lambda: polls(of.since(0)) > 1, "it polls", seconds=60)
        return followed(of, [f"run {n}" for n in range(CHANGES)], chance, PAUSE)
