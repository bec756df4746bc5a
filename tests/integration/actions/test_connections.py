"""What is connected to was checked, and no receiver takes more than its time or its room."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.integration.actions.receiver import Receiver, Reply
from triggers.actions.sending import connections
from triggers.actions.sending.connections import post
from triggers.actions.sending.verdicts import Unsent
from triggers.base.errors import LaunchImpossible
from triggers.base.receivers import Allowed

LOOPBACK = Allowed.of(["127.0.0.1", "::1"])


def names(monkeypatch: pytest.MonkeyPatch, *answers: list[str]) -> list[str]:
    """Let names resolve to these addresses, look-up by look-up, the last without limit; which names were looked up."""
    asked: list[str] = []
    real = socket.getaddrinfo

    def look_up(host: Any, port: Any, *rest: Any, **options: Any) -> Any:
        if host == "127.0.0.1":
            return real(host, port, *rest, **options)
        found = answers[min(len(asked), len(answers) - 1)]
        asked.append(host)
        return [found for each in found for found in real(each, port, *rest, **options)]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return asked


def test_a_post_arrives_with_path_query_headers_and_body(receiver: Receiver) -> None:
    answer = post(f"{receiver.url}/a/b?c=d", b'{"x": 1}', {"X-Own": b"y"}, allowed=LOOPBACK)
    (received,) = receiver.received
    assert (answer.status, received.method, received.path) == (200, "POST", "/a/b?c=d")
    assert (received.json, received.headers["x-own"]) == ({"x": 1}, "y")
    assert received.headers["host"] == f"127.0.0.1:{receiver.server_port}"


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "127.1", "[::ffff:127.0.0.1]"])
def test_no_spelling_of_loopback_is_connected_to(receiver: Receiver, host: str) -> None:
    with pytest.raises(LaunchImpossible, match="TRIGGERS_WEBHOOK_ALLOW"):
        post(f"http://{host}:{receiver.server_port}/", b"", {}, allowed=Allowed())
    assert receiver.received == []


def test_a_name_that_changes_between_look_and_connect_leads_nowhere_else(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first look-up is that of the connection: whoever serves the name cannot pass a check and then move it."""
    asked = names(monkeypatch, ["127.0.0.1"], ["8.8.8.8"])
    with pytest.raises(LaunchImpossible, match=r"rebind.example"):
        post(f"http://rebind.example:{receiver.server_port}/", b"", {}, allowed=Allowed())
    assert (asked, receiver.received) == (["rebind.example"], [])


def test_only_one_look_up_is_made_and_its_address_connected_to(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = names(monkeypatch, ["127.0.0.1"], ["127.0.0.2"])
    post(f"http://hooks.example:{receiver.server_port}/", b"", {}, allowed=Allowed.of(["127.0.0.1"]))
    assert asked == ["hooks.example"]
    assert receiver.received[0].headers["host"] == f"hooks.example:{receiver.server_port}"


def test_of_several_addresses_only_open_ones_are_connected_to(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    names(monkeypatch, ["127.0.0.2", "127.0.0.1"])
    post(f"http://hooks.example:{receiver.server_port}/", b"", {}, allowed=Allowed.of(["127.0.0.1"]))
    assert len(receiver.received) == 1
    with pytest.raises(LaunchImpossible):
        post(f"http://hooks.example:{receiver.server_port}/", b"", {}, allowed=Allowed.of(["127.0.0.3"]))
    assert len(receiver.received) == 1


def test_an_address_that_does_not_answer_is_passed_over(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    names(monkeypatch, ["127.0.0.9", "127.0.0.1"])  # nothing listens at the first
    post(f"http://hooks.example:{receiver.server_port}/", b"", {}, allowed=Allowed.of(["127.0.0.0/8"]))
    assert len(receiver.received) == 1


def test_what_is_connected_to_counts_whatever_was_looked_up(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a network that leads an open address elsewhere."""
    names(monkeypatch, ["8.8.8.8"])

    def connect(family: int, address: Any, seconds: float) -> socket.socket:
        return socket.create_connection(("127.0.0.1", receiver.server_port), seconds)

    monkeypatch.setattr(connections, "_connect", connect)
    with pytest.raises(LaunchImpossible, match=r"127\.0\.0\.1"):
        post(f"http://hooks.example:{receiver.server_port}/", b"", {}, allowed=Allowed())
    assert receiver.received == []


def test_a_proxy_of_the_environment_is_not_used(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert post(receiver.url, b"", {}, allowed=LOOPBACK).status == 200


def test_a_redirect_is_not_followed(receiver: Receiver) -> None:
    receiver.answers(Reply(302, {"Location": f"{receiver.url}/elsewhere"}))
    assert post(receiver.url, b"", {}, allowed=LOOPBACK).status == 302
    assert len(receiver.received) == 1


@pytest.mark.parametrize("size", [65_536, 10_000_000])
def test_of_a_large_answer_the_status_counts_and_the_rest_is_left(receiver: Receiver, size: int) -> None:
    receiver.answers(Reply(200, body=b"x" * size))
    assert post(receiver.url, b"", {}, allowed=LOOPBACK).status == 200


def headers(length: int, body: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (length, body)


@pytest.mark.parametrize(
    "raw",
    [
        headers(1000, b"short"),
        headers(2, b"longer than that HTTP/1.1 500 No\r\n\r\n"),
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\nx",
        b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\nx",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nno chunk",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc",
    ],
    ids=["too short", "too long", "negative", "no number", "no chunk", "no gzip"],
)
def test_an_answer_that_lies_about_its_length_is_an_answer(receiver: Receiver, raw: bytes) -> None:
    receiver.answers(Reply(raw=raw), Reply(500))
    assert post(receiver.url, b"", {}, allowed=LOOPBACK).status == 200
    assert post(receiver.url, b"", {}, allowed=LOOPBACK).status == 500, "and leaves nothing for the next"


def reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    socket.close(connection.detach())  # at once, while the server still has files of it


@pytest.mark.parametrize(
    "reply",
    [
        Reply(raw=b""),
        Reply(raw=b"no HTTP at all\r\n\r\n"),
        Reply(raw=b"HTTP/1.1 200 OK\r\nX: " + b"x" * 200_000),
        Reply(raw=b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 1000 + b"\r\n"),
        Reply(raw=headers(3, b"").replace(b"\r\n\r\n", b"\r\nContent-Length: 9\r\n\r\nabc")),
        Reply(before=reset),
    ],
    ids=["empty", "no HTTP", "endless header", "too many headers", "two lengths", "reset"],
)
def test_no_answer_is_tried_again(receiver: Receiver, reply: Reply) -> None:
    receiver.answers(reply)
    with pytest.raises(Unsent, match=r"127\.0\.0\.1:\d+: the connection broke"):
        post(f"{receiver.url}/secret-path", b"", {}, allowed=LOOPBACK)


@pytest.fixture
def silent() -> Iterator[Callable[..., int]]:
    """Servers that send a beginning at once and the rest byte by byte or never, as long as the test runs."""
    over, servers = threading.Event(), []

    def serve(rest: bytes, pause: float, beginning: bytes = b"") -> int:
        server = socket.create_server(("127.0.0.1", 0))
        servers.append(server)

        def one() -> None:
            connection, _ = server.accept()
            with connection:
                connection.sendall(beginning)
                for byte in rest:
                    if over.wait(pause):
                        return
                    try:
                        connection.sendall(bytes([byte]))
                    except OSError:
                        return
                over.wait()

        threading.Thread(target=one, daemon=True).start()
        return int(server.getsockname()[1])

    yield serve
    over.set()
    for server in servers:
        server.close()


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("text", [b"", b"H" * 1000], ids=["hangs", "drips"])
def test_a_receiver_that_hangs_has_its_seconds_and_no_more(
    silent: Callable[..., int], scheme: str, text: bytes
) -> None:
    port = silent(text, 0.05)  # it hangs up at the end of the test
    with pytest.raises(Unsent, match=r"no answer in 0\.5 s|TLS failed"):
        post(f"{scheme}://127.0.0.1:{port}/", b"", {}, allowed=LOOPBACK, seconds=0.5)


def test_a_body_that_drips_does_not_hold_the_thread(silent: Callable[..., int]) -> None:
    port = silent(b"x" * 10_000, 0.002, headers(20_000, b""))  # the other half never comes
    assert post(f"http://127.0.0.1:{port}/", b"", {}, allowed=LOOPBACK, seconds=2).status == 200


def test_a_name_that_nobody_resolves_in_time_does_not_hold_the_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    over = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_: over.wait())
    with pytest.raises(Unsent, match=r"slow\.example: no answer in 0\.2 s"):
        post("http://slow.example/", b"", {}, allowed=LOOPBACK, seconds=0.2)
    over.set()


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://127.0.0.1:9/secret-path?token=canary", "no connection (ConnectionRefusedError)"),
        ("http://no-such-name.invalid/secret-path?token=canary", "its name cannot be resolved"),
        (f"http://{'x' * 70}.example/secret-path?token=canary", "its name cannot be resolved"),
    ],
)
def test_an_error_names_the_host_and_not_the_path(url: str, said: str) -> None:
    with pytest.raises(Unsent) as caught:
        post(url, b"", {}, allowed=LOOPBACK)
    assert said in str(caught.value)
    assert "secret" not in str(caught.value)
    assert "canary" not in str(caught.value)
    assert caught.value.__suppress_context__, "the library's message is not shown with it"


def test_a_certificate_that_nobody_signed_is_refused(receiver: Receiver) -> None:
    with pytest.raises(Unsent, match=r"TLS failed|the connection broke"):
        post(receiver.url.replace("http:", "https:"), b"", {}, allowed=LOOPBACK)
    assert receiver.received == []
