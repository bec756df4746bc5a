"""How near launching comes to its limit: a bare HTTP client that does one clone and one enqueue for each launch."""

from __future__ import annotations

import http.client
import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

from tests.benchmarks.burst import HALF, THREADS, change, polls, queued, register
from tests.benchmarks.result import Bound, Result
from tests.benchmarks.server import KEYS, Server, server
from tests.benchmarks.worker import eventually, working
from triggers.sandbox.client import Client

LAUNCHES = 2 * HALF
#: What waiting for the API costs in production: of every call to the server, seconds; the local one answers at once.
DELAYS = (0.0, 0.02)
BOUND = Bound(least=0.8, of="ratio")


def measure(runs: int) -> list[Result]:
    """The same number of threads does the same number of launches on the same server, in turn."""
    rows = []
    for delay in DELAYS:
        ours, theirs = [], []
        for _ in range(runs):
            with server() as of, working(of) as here:
                queue = of.call("queues.get_all", name="^default$")["queues"][0]["id"]
                token = Client(of.url, *KEYS, name="bare").call("auth.login")["token"]
                if delay:
                    of.control.fault("delay", seconds=delay)
                before = of.last()
                bare(of, token, here.base, queue)
                theirs.append(LAUNCHES / seconds(of.since(before)))
                of.control.clear_faults()
                register(here)
                with here.process("poll", "match", "dispatch", threads=THREADS):
                    here.send("poll")
                    eventually(lambda: polls(of.since(0)), "the first poll", seconds=30)
                    change(of)
                    if delay:
                        of.control.fault("delay", seconds=delay)
                    before = of.last()
                    here.send("poll")
                    eventually(lambda: queued(of) >= 2 * LAUNCHES, "all are enqueued", seconds=300)
                    ours.append(LAUNCHES / seconds(of.since(before)))
        slower = f", every call {delay * 1000:.0f} ms slower" if delay else ""
        measure = f"launches a second of one process with {THREADS} threads{slower}"
        rows.append(Result(measure, "1/s", tuple(ours), tuple(theirs), BOUND, beside="bare HTTP client"))
    return rows


def bare(of: Server, token: str, base: str, queue: str) -> None:
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

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(some, [LAUNCHES // THREADS] * THREADS))


def seconds(entries: Sequence[dict[str, Any]]) -> float:
    """From the first clone to the last enqueue."""
    began = min(entry["at"] for entry in entries if entry["endpoint"] == "tasks.clone")
    return float(max(entry["at"] for entry in entries if entry["endpoint"].startswith("tasks.enqueue")) - began)
