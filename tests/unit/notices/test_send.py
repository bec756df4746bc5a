"""Where notices go is not up to those who take them, nor how long they take."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from triggers.base.settings import Settings
from triggers.notices import Notice
from triggers.notices.send import send


class Receiver(ThreadingHTTPServer):
    """Gives scripted answers, and records who asked for what."""

    daemon_threads = True

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []
        self.status, self.headers, self.body = 200, dict[str, str](), b""
        super().__init__(("127.0.0.1", 0), _Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def _answer(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.asked.append((self.command, self.path))
        self.send_response(self.server.status)
        for name, value in {"Content-Length": str(len(self.server.body)), **self.server.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        try:
            self.wfile.write(self.server.body)
        except OSError:
            self.server.asked.append(("cut", self.path))

    def do_POST(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    server = Receiver()
    yield server
    server.shutdown()
    server.server_close()


def tell(receiver: Receiver) -> bool:
    url = f"http://127.0.0.1:{receiver.server_port}/hook"
    return send([Notice("dead", "text")], "p/n", Settings(notice_webhook_url=url))


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_is_followed(receiver: Receiver, status: int) -> None:
    receiver.status = status
    receiver.headers = {"Location": f"http://127.0.0.1:{receiver.server_port}/internal", "Retry-After": "3600"}
    assert not tell(receiver)
    assert receiver.asked == [("POST", "/hook")]


@pytest.mark.parametrize("status", [413, 429, 503])
def test_no_retry_after_delays_a_notice(receiver: Receiver, status: int) -> None:
    receiver.status, receiver.headers = status, {"Retry-After": "3600"}
    assert not tell(receiver)
    assert receiver.asked == [("POST", "/hook")]


def test_a_huge_answer_is_read_no_further_than_needed(receiver: Receiver) -> None:
    receiver.body = b"x" * 50_000_000
    assert not tell(receiver)
    assert receiver.asked[0] == ("POST", "/hook")
    receiver.body = b"ok"
    assert tell(receiver)
