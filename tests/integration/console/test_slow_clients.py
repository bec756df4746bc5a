"""Clients that send slowly, never finish or do not read: each is hung up on, and all others are served meanwhile."""

from __future__ import annotations

import contextlib
import socket
import time

import pytest

from tests.integration.console.conftest import Browser
from tests.integration.stages.conftest import World
from triggers.console import live, security, serve
from triggers.console.serve import ConsoleServer

SECONDS = 20.0


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same limits, reached sooner."""
    monkeypatch.setattr(serve, "_HEAD_SECONDS", 0.5)
    monkeypatch.setattr(security, "BODY_SECONDS", 0.5)


def connection(console: ConsoleServer) -> socket.socket:
    port = int(console.url.rpartition(":")[2])
    return socket.create_connection(("127.0.0.1", port), timeout=SECONDS)


def head(browser: Browser, method: str, path: str, **fields: str) -> bytes:
    port = browser.console.url.rpartition(":")[2]
    cookie = "; ".join(f"{one.name}={one.value}" for one in browser.session.cookies)
    lines = [f"{method} {path} HTTP/1.1", f"host: 127.0.0.1:{port}", f"cookie: {cookie}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in fields.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def ends(open_: socket.socket) -> bytes:
    """What still comes until the console hangs up."""
    found = b""
    with contextlib.suppress(ConnectionError):
        while piece := open_.recv(65_536):
            found += piece
    return found


def test_who_sends_its_headers_slowly_is_hung_up_on(browser: Browser) -> None:
    crowd = [connection(browser.console) for _ in range(50)]
    for one in crowd:
        one.sendall(b"GET / HTTP/1.1\r\nhost: 127.0.0.1\r\nx-slow: ")
    assert browser.get(browser.home).status_code == 200
    began = time.monotonic()
    while time.monotonic() - began < 2.0:  # a byte now and then keeps none of them alive
        for one in crowd:
            with contextlib.suppress(OSError):
                one.send(b"x")
        time.sleep(0.1)
    for one in crowd:
        assert ends(one) == b""
        one.close()


def test_a_body_that_does_not_come_is_refused(browser: Browser) -> None:
    fields = {"content_type": "application/x-www-form-urlencoded", "content_length": "1000"}
    with connection(browser.console) as slow:
        slow.sendall(head(browser, "POST", f"{browser.home}/do/pause", **fields) + b"token=")
        assert browser.get(browser.home).status_code == 200
        assert slow.recv(65_536).startswith(b"HTTP/1.1 413 ")


def test_a_length_that_is_no_number_is_refused(browser: Browser) -> None:
    for length in ("-1", "x", "1e3", "99999999999999999999"):
        with connection(browser.console) as one:
            one.sendall(head(browser, "POST", "/login", content_length=length))
            assert one.recv(65_536)[9:12] in (b"400", b"413"), length


def test_headers_without_an_end_are_refused(browser: Browser) -> None:
    with connection(browser.console) as one, contextlib.suppress(ConnectionError):
        one.sendall(head(browser, "GET", "/")[:-4] + b"\r\nx-long: " + b"x" * 1_000_000)
        assert one.recv(65_536)[9:12] == b"400"
    assert browser.get(browser.home).status_code == 200


def test_a_reader_of_news_that_does_not_read_holds_nothing_up(
    world: World, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "LOOK_SECONDS", 0.02)
    world.declare(world.trigger(name="retry"))
    deaf = [connection(browser.console) for _ in range(20)]
    for one in deaf:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
        one.sendall(head(browser, "GET", f"{browser.home}/live"))
    with browser.session.get(f"{browser.console.url}{browser.home}/live", stream=True, timeout=SECONDS) as news:
        lines = news.iter_lines(decode_unicode=True)
        assert next(line for line in lines if line.startswith("event")) == "event: open"
        for number in range(5):
            world.ledger.registry.declare([world.trigger(name=f"trigger {number}")], origin="script", server_now_ms=1)
            assert next(line for line in lines if line.startswith("event")) == "event: changed"
        assert browser.get(browser.home).status_code == 200
    for one in deaf:
        one.close()
