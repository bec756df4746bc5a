"""The exporter answers while others hold connections to it open and say nothing, or little."""

from __future__ import annotations

import socket
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, Gauge

from tests.eventually import eventually
from triggers.base.settings import settings as cached


@pytest.fixture
def scrapes(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setenv("TRIGGERS_REDIS_URL", redis_url)
    cached.cache_clear()
    from workers import http_server

    monkeypatch.setattr(http_server, "CONNECTION_SECONDS", 1.0)
    monkeypatch.setattr(http_server._Handler, "timeout", 1.0)
    yield http_server
    cached.cache_clear()


def answer(port: int) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=60) as found:
        return str(found.read().decode())


def test_silent_and_dripping_connections_hold_nobody_up_for_long(scrapes: Any) -> None:
    registry = CollectorRegistry()
    Gauge("told", "x", registry=registry).set(5)
    before = threading.active_count()
    server, thread = scrapes.serve("127.0.0.1", 0, registry)
    port = server.server_port
    silent = [socket.create_connection(("127.0.0.1", port)) for _ in range(3 * scrapes.CONNECTIONS)]
    silent[0].sendall(b"GET /metrics HTTP/1.1\r\nX: ")
    ended = 0

    def hung_up() -> bool:
        nonlocal ended
        silent[0].sendall(b"y") if ended < scrapes.CONNECTIONS else None
        ended = sum(_has_ended(one) for one in silent)
        return ended == len(silent)

    with suppress(OSError):  # hung up on while it dripped
        eventually(hung_up, "all are hung up on")
    assert "told 5.0" in answer(port)
    for one in silent:
        one.close()
    server.shutdown()
    server.server_close()
    thread.join()
    eventually(lambda: threading.active_count() <= before, "their threads end")


def _has_ended(one: socket.socket) -> bool:
    one.settimeout(0.005)
    try:
        return one.recv(1) == b""
    except TimeoutError:
        return False
    except OSError:
        return True
