"""Clients that send slowly, never finish or do not read: each is hung up on, and all others are served meanwhile."""

from __future__ import annotations

import contextlib
import socket
import time

import pytest

from tests.integration.console.conftest import Browser
from tests.integration.console.sockets import SECONDS, connection, ends, head, through
from tests.integration.stages.conftest import World
from triggers.console import listener, live, security


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same limits, reached sooner."""
    monkeypatch.setattr(listener, "HEAD_SECONDS", 2.0)  # what others send meanwhile arrives sooner
    monkeypatch.setattr(security, "BODY_SECONDS", 2.0)


def test_who_sends_its_headers_slowly_is_hung_up_on(browser: Browser) -> None:
    crowd = [connection(browser.console) for _ in range(50)]
    for one in crowd:
        one.sendall(b"GET / HTTP/1.1\r\nhost: 127.0.0.1\r\nx-slow: ")
    assert browser.get(browser.home).status_code == 200
    until, left = time.monotonic() + SECONDS, crowd
    while left:  # a byte now and then keeps none of them alive
        assert time.monotonic() < until, f"{len(left)} are still waited for"
        left = [one for one in left if is_open(one)]
        time.sleep(0.05)
    for one in crowd:
        one.close()


def is_open(slow: socket.socket) -> bool:
    """Send another byte; whether the console has not hung up."""
    try:
        slow.send(b"x")
        slow.setblocking(False)
        return slow.recv(1) != b""
    except BlockingIOError:
        return True
    except OSError:
        return False


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


def test_a_body_that_comes_byte_by_byte_is_refused(browser: Browser) -> None:
    """Each byte comes soon enough, all of them together do not."""
    fields = {"content_type": "application/x-www-form-urlencoded", "content_length": "1000000"}
    with connection(browser.console) as slow:
        slow.sendall(head(browser, "POST", "/login", **fields))
        slow.settimeout(0.05)
        answer, until = b"", time.monotonic() + SECONDS
        while not answer:
            assert time.monotonic() < until, "it is still waited for"
            with contextlib.suppress(TimeoutError):
                slow.send(b"x")
                answer = slow.recv(65_536)
    assert answer.startswith(b"HTTP/1.1 413 ")


def test_a_second_request_has_as_little_time_as_the_first(browser: Browser) -> None:
    with connection(browser.console) as one:
        one.sendall(head(browser, "GET", "/static/icon.svg"))
        assert b"200" in through(one, b"</svg>").partition(b"\r\n")[0]
        one.sendall(b"GET / HTTP/1.1\r\nhost: 127.0.0.1\r\nx-slow: ")
        assert ends(one) == b""


def long_heads(browser: Browser) -> dict[str, bytes]:
    """Heads of more than 32 kB, each of which is read at once where the machine is fast."""
    plain = head(browser, "GET", "/")
    many = b"".join(b"x-%d: y\r\n" % number for number in range(10_000))
    return {
        "one header": plain[:-4] + b"\r\nx-long: " + b"x" * 100_000 + b"\r\n\r\n",
        "many headers": plain[:-2] + many + b"\r\n",
        "an address": head(browser, "GET", "/?q=" + "x" * 100_000),
        "a method": head(browser, "X" * 100_000, "/"),
        "a header without an end": plain[:-4] + b"\r\nx-long: " + b"x" * 200_000,
    }


def test_a_long_head_is_refused_also_when_it_arrives_whole(browser: Browser) -> None:
    for name, sent in long_heads(browser).items():
        with connection(browser.console) as one, contextlib.suppress(ConnectionError):
            one.sendall(sent)
            answer = ends(one)
            assert answer.startswith(b"HTTP/1.1 431 "), (name, answer[:200])
            assert b"too long" in answer
    for size, code in ((30_000, b"401"), (33_000, b"431")):
        with connection(browser.console) as one:
            one.sendall(b"GET / HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\nx: " + b"x" * size + b"\r\n\r\n")
            assert ends(one)[9:12] == code


def test_a_long_head_that_comes_in_pieces_is_refused(browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listener, "HEAD_SECONDS", SECONDS)
    for name, sent in long_heads(browser).items():
        with connection(browser.console) as one, contextlib.suppress(ConnectionError):
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for at in range(0, len(sent), 4096):
                one.sendall(sent[at : at + 4096])
            assert ends(one)[9:12] == b"431", name
    assert browser.get(browser.home).status_code == 200


def test_what_is_not_http_is_refused_in_words(browser: Browser) -> None:
    for sent in (
        b"\x16\x03\x01\x02\x00\r\n\r\n",
        b"GET /\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost : x\r\n\r\n",
        b"\0" * 5000,
    ):
        with connection(browser.console) as one:
            one.sendall(sent)
            answer = ends(one)
            assert answer[9:12] in (b"400", b"431"), (sent, answer)


def test_who_does_not_read_its_answer_is_hung_up_on(
    world: World, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else its connection is one of the 500 for good."""
    monkeypatch.setattr(listener, "READ_SECONDS", 0.5)
    with connection(browser.console) as deaf:
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
        with contextlib.suppress(ConnectionError, TimeoutError):
            deaf.settimeout(1.0)
            for _ in range(400):  # requests one behind the other, whose answers fill what lies between
                deaf.sendall(head(browser, "GET", "/static/htmx-2.0.11.min.js"))
        known = browser.console.server.server_state.connections
        until = time.monotonic() + SECONDS
        while any(one.client and one.client[1] == deaf.getsockname()[1] for one in list(known)):
            assert time.monotonic() < until
            time.sleep(0.05)


def test_a_reader_of_news_that_does_not_read_holds_nothing_up(
    world: World, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "LOOK_SECONDS", 0.02)
    monkeypatch.setattr(live, "BUDGET", 100.0)
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
