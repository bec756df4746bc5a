"""Receivers of webhooks that are as bad as they can be, by chance of a seed, and what has arrived there.

They answer 500, hang, break the connection before the answer or instead of it, answer late, and lie about the length of
what they answer. Nothing here belongs to the system: what counts is what these receivers have seen.
"""

from __future__ import annotations

import json
import random
import socket
import struct
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final

#: Addresses that workers take for different receivers.
HOSTS: Final = ("127.0.0.1", "127.0.0.2")
#: What a firing of the trigger `told` sends, by the end of the address: the end of its `webhook-id`, and to which host.
SENT: Final = {"first": ("", 0), "second": ("-1", 1), "refused": ("-2", 0), "alarm": ("-f0", 1)}
#: How answers go, by weight. `taken`: the receiver keeps it, and the sender hears nothing of that.
WAYS: Final = {
    "well": 40,
    "500": 18,
    "503 with a pause": 4,
    "hangs": 3,
    "breaks": 10,
    "taken": 10,
    "late": 6,
    "too short": 5,
    "too long": 4,
}
#: Longer than a sender waits.
HANG_SECONDS: Final = 12.0


@dataclass(frozen=True)
class Delivery:
    """One request that arrived whole. `answered`: with a status that says that it was taken, or is refused for good."""

    what: str
    object: str
    id: str
    answered: bool


class Receivers:
    """Both receivers of a run, on one port."""

    def __init__(self, seed: int) -> None:
        self.deliveries: list[Delivery] = []
        self.calm = threading.Event()
        self._dice, self._lock = random.Random(f"receivers {seed}"), threading.Lock()
        first = _Server(self, HOSTS[0], 0)
        self._servers = [first, _Server(self, HOSTS[1], first.server_port)]
        self.port = first.server_port

    def way(self) -> str:
        """How the next request goes."""
        with self._lock:
            return "well" if self.calm.is_set() else self._dice.choices(list(WAYS), list(WAYS.values()))[0]

    def note(self, delivery: Delivery) -> None:
        """A request arrived."""
        with self._lock:
            self.deliveries.append(delivery)

    def seen(self) -> list[Delivery]:
        """All so far."""
        with self._lock:
            return list(self.deliveries)

    def close(self) -> None:
        """End, whoever still waits for an answer."""
        self.calm.set()
        for server in self._servers:
            server.shutdown()
            server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, receivers: Receivers, host: str, port: int) -> None:
        self.receivers = receivers
        super().__init__((host, port), _Handler)
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    def handle_error(self, *_: object) -> None:
        """Whoever sends is killed at any moment."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        body = self.rfile.read(length)
        if len(body) < length:
            return  # its sender was killed
        receivers, way, what = self.server.receivers, self.server.receivers.way(), self.path.strip("/")
        if way == "late":
            time.sleep(1.0)
        heard = receivers.calm.wait(HANG_SECONDS) if way == "hangs" else way not in ("breaks", "taken")
        status = {"500": 500, "503 with a pause": 503}.get(way, 410 if what == "refused" else 204)
        answered = heard and status < 500
        receivers.note(Delivery(what, json.loads(body)["object"], self.headers["webhook-id"], answered))
        if way in ("breaks", "taken"):
            self._break()
            return
        self._answer(status, {"too short": 99, "too long": 1}.get(way, 0), pause=way == "503 with a pause")

    def _answer(self, status: int, length: int, *, pause: bool) -> None:
        self.send_response(status)
        if pause:
            self.send_header("Retry-After", "1")
        self.send_header("Content-Length", str(length))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(b"an answer" if length else b"")
        self.close_connection = True

    def _break(self) -> None:
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        socket.close(self.connection.detach())  # at once, with a reset
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        pass


def end_of(what: str) -> str:
    """How `webhook-id` of what is sent ends: behind the key of the firing."""
    return SENT[what][0]


def taken(deliveries: Iterable[Delivery], name: str) -> int:
    """How often all that is sent for an object was taken."""
    counts = dict.fromkeys(SENT, 0)
    for one in deliveries:
        if one.object == name and one.answered:
            counts[one.what] += 1
    return min(counts.values())
