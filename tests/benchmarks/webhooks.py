"""A thousand objects match in one poll, and a receiver is sent a webhook for each: how long until it has all."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.benchmarks.result import Bound, Result
from tests.benchmarks.server import server
from tests.benchmarks.worker import eventually, working
from triggers.actions import Webhook
from triggers.model import make_trigger

WEBHOOKS, TAG = 1000, "finished"
THREADS = 8
BOUND = Bound(most=5.0)


def measure(runs: int) -> list[Result]:
    """One worker process; the time begins with the poll that finds the objects. Signed, at most two at a time."""
    seconds = []
    for _ in range(runs):
        with server() as of, working(of) as here, receiver() as there:
            os.environ |= {"TRIGGERS_WEBHOOK_ALLOW": "127.0.0.1", "WEBHOOK_SECRET": "a secret of the benchmark"}
            action = Webhook(f"http://127.0.0.1:{there.server_port}/hook", secret="env:WEBHOOK_SECRET")
            here.home.register(here.ledger, [make_trigger("task", name="tell", action=action, trigger_on_tags=[TAG])])
            with here.process("poll", "match", "dispatch", "act", threads=THREADS):
                here.send("poll")
                eventually(lambda: reads(of.since(0)), "the first poll", seconds=30)
                ids = [of.call("tasks.create", name="run", type="training")["id"] for _ in range(WEBHOOKS)]
                for start in range(0, WEBHOOKS, 500):
                    of.call("tasks.update_tags", ids=ids[start : start + 500], add_tags=[TAG])
                began = time.monotonic()
                here.send("poll")
                eventually(lambda: len(there.ids) >= WEBHOOKS, "all webhooks have arrived", seconds=120)
                seconds.append(there.last - began)
    note = "one worker process, signed, two requests at a time to one receiver"
    return [Result("1,000 webhooks to one receiver: until it has all", "s", tuple(seconds), bound=BOUND, note=note)]


def reads(entries: Any) -> int:
    """How many pages this system has read."""
    return sum(entry["endpoint"] == "tasks.get_all_ex" for entry in entries)


class Receiver(ThreadingHTTPServer):
    """Takes webhooks; `ids` are those that it has seen, `last` when a new one came."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self) -> None:
        self.ids: set[str] = set()
        self.last = 0.0
        super().__init__(("127.0.0.1", 0), _Handler)


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers["webhook-id"] not in self.server.ids:
            self.server.ids.add(self.headers["webhook-id"])
            self.server.last = time.monotonic()
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def receiver() -> Iterator[Receiver]:
    """A receiver that answers at once."""
    there = Receiver()
    thread = threading.Thread(target=there.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield there
    there.shutdown()
    there.server_close()
    thread.join()
