"""How near launching comes to its limit: a bare HTTP client that does one clone and one enqueue for each launch."""

from __future__ import annotations

import http.client
import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any
from urllib.parse import urlsplit

from tests.benchmarks.burst import HALF, THREADS, change, polls, register
from tests.benchmarks.result import Bound, Result, load
from tests.benchmarks.server import Server, server
from tests.benchmarks.worker import Working, eventually, working

LAUNCHES = 2 * HALF
#: As many calls at once on both sides; here by two processes, as a deployment has them.
PROCESSES = 2
#: By how much every call is slower than the local server answers, seconds: it is far nearer than one in production.
DELAYS = (0.0, 0.002, 0.02)
BOUND = Bound(least=0.8, of="ratio")
#: None at full speed: both share the cores with a server that answers in a third of a millisecond, and a genuine
#: one takes some 16 ms for a launch (`paced`).
BOUNDS = {0.0: None, 0.002: BOUND, 0.02: BOUND}


def measure(runs: int) -> list[Result]:
    """The same number of launches by the same number of threads on the same server, in turn."""
    rows = []
    for delay in DELAYS:
        ours, theirs = [], []
        for _ in range(runs):
            with server() as of, working(of) as here:
                theirs.append(bare_rate(of, here, delay))
                ours.append(rate(of, here, delay))
        slower = f"every call {delay * 1000:.0f} ms slower" if delay else "the local server at full speed"
        measure = f"launches a second with {THREADS} threads, {slower}"
        rows.append(Result(measure, "1/s", tuple(ours), tuple(theirs), BOUNDS[delay], "bare HTTP client", load()))
    return rows


def rate(of: Server, here: Working, delay: float) -> float:
    """Launches a second of worker processes of this system, whose firings a poll before has found."""
    register(here)
    threads = THREADS // PROCESSES
    with ExitStack() as stack:
        stack.enter_context(here.process("poll", "match", threads=2, name="poll"))
        here.send("poll")
        eventually(lambda: polls(of.since(0)), "the first poll", seconds=30)
        change(of)
        here.send("poll")
        eventually(lambda: here.due() == LAUNCHES, "all are granted", seconds=60)
        stack.close()
        here.celery.control.purge()
        for n in range(PROCESSES):
            stack.enter_context(here.process("dispatch", threads=threads, name=f"dispatch{n}"))
        before = slow(of, delay)
        for _ in range(THREADS):
            here.send("dispatch", here.ledger.scheduler)
        eventually(lambda: here.due() == 0, "all are launched", seconds=300)
    return LAUNCHES / seconds(of.since(before))


def bare_rate(of: Server, here: Working, delay: float) -> float:
    """Launches a second of a bare client."""
    queue = of.call("queues.get_all", name="^default$")["queues"][0]["id"]
    token = of.client("bare").call("auth.login")["token"]
    before = slow(of, delay)
    bare(of, token, here.base, queue)
    of.control.clear_faults()
    return LAUNCHES / seconds(of.since(before))


def slow(of: Server, delay: float) -> int:
    """Slow the server down from now on; the number of its latest call."""
    if delay:
        of.control.fault("delay", seconds=delay)
    return of.last()


def bare(of: Server, token: str, base: str, queue: str, *, threads: int = THREADS) -> None:
    """Clone and enqueue, as fast as so many threads can."""
    address = urlsplit(of.url)
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}

    def some(number: int) -> None:
        connection = http.client.HTTPConnection(str(address.hostname), address.port)

        def call(endpoint: str, body: dict[str, Any]) -> Any:
            connection.request("POST", f"/v2.23/{endpoint}", json.dumps(body), headers)
            return json.loads(connection.getresponse().read())["data"]

        for n in range(number):
            made = call("tasks.clone", {"task": base, "new_task_name": f"clone {n}"})["id"]
            call("tasks.enqueue", {"task": made, "queue": queue})
        connection.close()

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(some, [LAUNCHES // threads] * threads))


def seconds(entries: Sequence[dict[str, Any]]) -> float:
    """From the first clone to the last enqueue."""
    began = min(entry["at"] for entry in entries if entry["endpoint"] == "tasks.clone")
    return float(max(entry["at"] for entry in entries if entry["endpoint"].startswith("tasks.enqueue")) - began)
