"""A receiver of webhooks on loopback that answers as it is set up to, and keeps what it was sent."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Received:
    """One request."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    #: Every header in small letters, one that is sent twice twice.
    header_names: tuple[str, ...] = ()

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def id(self) -> str:
        return self.headers.get("webhook-id", "")


@dataclass
class Reply:
    """What is answered. `raw`: bytes in place of an answer; `before`: is called before it is sent."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b"ok"
    raw: bytes | None = None
    before: Callable[[socket.socket], None] = lambda _: None


class Receiver(ThreadingHTTPServer):
    """Answers `replies` in turn, the last one without limit; to a path of `of_path` always what stands there."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self) -> None:
        self.received: list[Received] = []
        self.replies = [Reply()]
        self.of_path: dict[str, Reply] = {}
        self._lock = threading.Lock()
        super().__init__(("127.0.0.1", 0), _Handler)
        self._thread = threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def answers(self, *replies: Reply) -> None:
        self.replies = list(replies)

    def keep(self, received: Received) -> Reply:
        with self._lock:
            self.received.append(received)
            if received.path in self.of_path:
                return self.of_path[received.path]
            return self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]

    def handle_error(self, *_: Any) -> None:
        """A client that hangs up does not concern the test."""

    def close(self) -> None:
        self.shutdown()
        self.server_close()
        self._thread.join(60)


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        names = tuple(name.lower() for name in self.headers.keys())  # noqa: SIM118 (it gives repeated ones too)
        reply = self.server.keep(Received(self.command, self.path, headers, body, names))
        reply.before(self.connection)
        if reply.raw is not None:
            self.wfile.write(reply.raw)
            self.close_connection = True
            return
        self.send_response(reply.status)
        for name, value in {"Content-Length": str(len(reply.body)), **reply.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(reply.body)

    do_POST = do_GET = _answer  # noqa: N815 (as http.server names them)

    def log_message(self, *_: Any) -> None:
        pass
