"""How fast the local ClearML API server is: `python -m tests.benchmarks.sandbox [tasks]`.

Client and server share this machine; the empty route is Starlette answering `{}` through the same uvicorn.
"""

from __future__ import annotations

import asyncio
import http.client
import json
import multiprocessing
import resource
import sys
import time
from collections.abc import Callable
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from triggers.sandbox import Sandbox
from triggers.sandbox.calls import Call
from triggers.sandbox.services.tasks import create

CALLS = 3000


def fill(sandbox: Sandbox, number: int) -> float:
    """Put tasks into a sandbox that is not yet listening; returns kilobytes of memory per task."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    state, began = sandbox.app.state, time.time() - 3600 * 24
    project = state.project_of("benchmark", state.made)["id"]
    recent = number - 500
    for i in range(number):
        at = began + i * 0.01 if i < recent else time.time() - 30 + (i - recent) * 0.01
        body = {"name": f"task {i}", "type": "training", "project": project, "tags": [f"tag {i % 7}"]}
        create(Call(state, "tasks.create", body, at))
    return (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / number


async def _empty(request: Request) -> JSONResponse:
    await request.body()
    return JSONResponse({})


def serve(number: int, keys: tuple[str, str], told: Any) -> None:
    """Run a sandbox with so many tasks; without any, an empty Starlette application in its place."""
    sandbox = Sandbox(0, *keys)
    kilobytes = fill(sandbox, number) if number else 0.0
    if number < 0:
        sandbox.app = Starlette(routes=[Route("/{path:path}", _empty, methods=["POST"])])  # type: ignore[assignment]
    sandbox.bind()
    told.put((sandbox.port, kilobytes))
    sandbox.serve()


def measure(port: int, token: str, call: str, body: dict[str, Any], number: int) -> float:
    """Milliseconds of one call, over so many on one connection."""
    connection = http.client.HTTPConnection("127.0.0.1", port)
    headers = {"Authorization": token, "Content-Type": "application/json"}
    content = json.dumps(body)
    for i in range(number + 20):
        if i == 20:
            began = time.perf_counter()
        connection.request("POST", f"/v2.23/{call}", content, headers)
        connection.getresponse().read()
    connection.close()
    return (time.perf_counter() - began) / number * 1000


def running(number: int, keys: tuple[str, str], use: Callable[[int, float], None]) -> None:
    """Use a server in a process of its own."""
    context = multiprocessing.get_context("spawn")
    told = context.Queue()
    process = context.Process(target=serve, args=(number, keys, told), daemon=True)
    process.start()
    use(*told.get(timeout=300))
    process.terminate()
    process.join()


async def rate(port: int, token: str, connections: int, seconds: float) -> float:
    """Calls a second of so many connections at once."""
    content = b"{}"
    head = f"POST /v2.23/server.info HTTP/1.1\r\nHost: x\r\nAuthorization: {token}\r\nContent-Length: 2\r\n\r\n"
    request, done, end = head.encode() + content, 0, time.perf_counter() + seconds

    async def one() -> None:
        nonlocal done
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while time.perf_counter() < end:
            writer.write(request)
            answer = await reader.readuntil(b"\r\n\r\n")
            length = next(line for line in answer.lower().split(b"\r\n") if line.startswith(b"content-length"))
            await reader.readexactly(int(length.partition(b":")[2]))
            done += 1
        writer.close()

    await asyncio.gather(*(one() for _ in range(connections)))
    return done / seconds


def main() -> None:
    number = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    keys = ("K", "S")
    token = ""
    empty = 0.0

    def of_empty(port: int, _: float) -> None:
        nonlocal empty
        empty = measure(port, "", "x.y", {}, CALLS)
        print(f"empty Starlette route      {empty:.3f} ms, {asyncio.run(rate(port, '', 64, 3)):.0f} calls/s on 64")

    def of_sandbox(port: int, kilobytes: float) -> None:
        nonlocal token
        token = "Bearer " + Sandbox(0, *keys).app.tokens.issue(time.time())
        print(f"{number} tasks, {kilobytes:.1f} kB each")
        since = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(time.time() - 60))
        fields = ["id", "name", "status", "tags", "system_tags", "project.name", "last_change", "type"]
        poll = {"last_change": [f">={since}"], "order_by": ["last_change"], "page": 0, "page_size": 500}
        calls: dict[str, tuple[str, dict[str, Any], int]] = {
            "server.info": ("server.info", {}, CALLS),
            "tasks.create": ("tasks.create", {"name": "one more", "type": "training"}, CALLS),
            "poll, nothing new": ("tasks.get_all_ex", {**poll, "last_change": [">=2100-01-01"]}, CALLS),
            "poll, 500 changes": ("tasks.get_all_ex", {**poll, "only_fields": fields}, 50),
            "find by mark": ("tasks.get_all", {"system_tags": ["__$any", "x"], "only_fields": ["id"]}, CALLS),
            "name pattern, all": ("tasks.get_all", {"name": "^task 99$", "only_fields": ["id"]}, 5),
        }
        for name, (call, body, repeat) in calls.items():
            took = measure(port, token, call, body, repeat)
            print(f"{name:26} {took:.3f} ms, {took / empty:.1f} times the empty route")
        print(f"server.info on 64          {asyncio.run(rate(port, token, 64, 3)):.0f} calls/s")

    running(-1, keys, of_empty)
    running(number, keys, of_sandbox)


if __name__ == "__main__":
    main()
