"""Notifications through apprise: what arrives, what is tried again, and which addresses are connected to."""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from tests.integration.actions.conftest import allowing, declare, ended, trigger
from tests.integration.actions.receiver import Receiver, Reply
from tests.integration.stages.conftest import World
from triggers.actions import Notify
from triggers.actions.listed import InvalidAction
from triggers.actions.sending import channels
from triggers.base.errors import LaunchImpossible
from triggers.base.receivers import Allowed
from triggers.model import make_trigger
from triggers.model.trigger import check_new

CANARY = "c4n4ry"


def address(receiver: Receiver, path: str = "/hook") -> str:
    return f"json://127.0.0.1:{receiver.server_port}{path}"


def test_people_are_notified_of_what_fired(world: World, receiver: Receiver) -> None:
    action = Notify(
        address(receiver), text="${trigger.name}: ${object.name} is ${object.status}", title="To ${object.name}",
        level="failure",
    )  # fmt: skip
    declare(world, action, name="alert")
    world.fail_task(name="train @everyone <!channel>\r\nforged")
    world.step(allowing(world))
    (received,) = receiver.received
    assert received.path == "/hook"
    said = received.json
    assert said["message"] == "alert: train @\u200beveryone <\u200b!\u200bchannel>\\r\\nforged is failed"
    assert said["title"] == "To train @\\u200beveryone <\\u200b!\\u200bchannel>\\r\\nforged"
    assert said["type"] == "failure"
    assert ended(world)[-1] == ("launched", "")


def test_an_address_is_a_secret_that_is_read_when_it_is_sent_to(
    world: World, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    declare(world, Notify("env:CHANNEL"))
    monkeypatch.setenv("CHANNEL", address(receiver, f"/{CANARY}"))
    world.fail_task(name="train")
    world.step(allowing(world))
    assert receiver.received[0].path == f"/{CANARY}"
    assert receiver.received[0].json["message"].startswith("t fired for train http")


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_service_that_is_busy_is_asked_again_after_the_pause_that_it_wants(
    world: World, receiver: Receiver, status: int
) -> None:
    receiver.answers(Reply(status, {"Retry-After": "100"}))
    declare(world, Notify(address(receiver)))
    world.fail_task()
    world.step(allowing(world))
    what, reason = ended(world)[-1]
    assert (what, reason) == ("failed", f"127.0.0.1 answered {reason.split(' answered ')[1]}")
    due = world.ledger.keys.due("act")
    ((_, at),) = world.ledger.store.client.zrange(due, 0, -1, withscores=True)
    assert 95_000 < at - world.ledger.now_ms() <= 100_000
    assert len(receiver.received) == 1


@pytest.mark.parametrize("reply", [Reply(400), Reply(404), Reply(302, {"Location": "/else"})])
def test_a_service_that_refuses_for_good_leaves_a_dead_letter(world: World, receiver: Receiver, reply: Reply) -> None:
    receiver.answers(reply)
    declare(world, Notify(address(receiver)))
    world.fail_task()
    world.step(allowing(world))
    assert ended(world)[-1][0] == "dead"
    assert len(receiver.received) == 1, "no redirect is followed"


@pytest.mark.parametrize(
    "reply",
    [Reply(raw=b""), Reply(raw=b"no HTTP\r\n\r\n"), Reply(raw=b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nx")],
    ids=["empty", "no HTTP", "too short"],
)
def test_a_service_that_fails_midway_is_tried_again(world: World, receiver: Receiver, reply: Reply) -> None:
    receiver.answers(reply, Reply())
    declare(world, Notify(address(receiver)))
    world.fail_task()
    ctx = allowing(world)
    world.step(ctx)
    assert ended(world)[-1][0] == "failed"
    world.expire_leases()
    world.hints.acts = 1
    world.settle(ctx)
    assert ended(world)[-1][0] == "launched"


def test_ten_megabytes_of_an_answer_are_not_read(world: World, receiver: Receiver) -> None:
    receiver.answers(Reply(body=b"x" * 10_000_000))
    declare(world, Notify(address(receiver)))
    world.fail_task()
    world.step(allowing(world))
    assert ended(world)[-1][0] == "launched"


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "rebind.example"])
def test_a_private_address_is_not_connected_to(
    world: World, receiver: Receiver, monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    real, asked = socket.getaddrinfo, []

    def look_up(name: Any, port: Any, *rest: Any, **options: Any) -> Any:
        if name != "rebind.example":
            return real(name, port, *rest, **options)
        asked.append(name)
        return real("8.8.8.8" if len(asked) > 1 else "127.0.0.1", port, *rest, **options)

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    monkeypatch.setenv("CHANNEL", f"json://{host}:{receiver.server_port}/")
    declare(world, Notify("env:CHANNEL"))
    world.fail_task()
    world.step(allowing(world, webhook_allow=()))
    what, reason = ended(world)[-1]
    assert (what, "TRIGGERS_WEBHOOK_ALLOW" in reason) == ("dead", True)
    assert receiver.received == []


def test_a_proxy_of_the_environment_is_not_used(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    channels.send(address(receiver), "r", "text", title="", level="info", allowed=Allowed.of(["127.0.0.1"]))
    assert len(receiver.received) == 1


def test_what_is_sent_elsewhere_with_requests_is_not_touched(receiver: Receiver) -> None:
    import requests

    channels.send(address(receiver), "r", "text", title="", level="info", allowed=Allowed.of(["127.0.0.1"]))
    assert requests.post(receiver.url, timeout=60).status_code == 200
    assert len(receiver.received) == 2


# ---- mail -------------------------------------------------------------------------------------------------------
@pytest.fixture
def mail() -> Iterator[tuple[int, list[str]]]:
    """A mail server that takes everything, and the lines that it was sent."""
    server, lines = socket.create_server(("127.0.0.1", 0)), list[str]()

    def serve() -> None:
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            with connection, connection.makefile("rwb") as file:
                file.write(b"220 hello\r\n")
                file.flush()
                data = False
                for line in file:
                    text = line.decode().rstrip("\r\n")
                    lines.append(text)
                    if data and text != ".":
                        continue
                    data = text.upper() == "DATA"
                    file.write(b"354 go on\r\n" if data else b"250 ok\r\n")
                    file.flush()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield int(server.getsockname()[1]), lines
    server.shutdown(socket.SHUT_RDWR)
    server.close()
    thread.join(60)


def test_mail_is_sent_to_an_open_address_and_to_no_other(
    world: World, mail: tuple[int, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    port, lines = mail
    monkeypatch.setenv("MAIL", f"mailto://127.0.0.1:{port}?from=a@example.com&to=ann@example.com&mode=insecure")
    declare(world, Notify("env:MAIL", title="Failed", text="${object.name}"))
    world.fail_task(name="train")
    world.step(allowing(world, webhook_allow=()))
    what, reason = ended(world)[-1]
    assert (what, "TRIGGERS_WEBHOOK_ALLOW" in reason, lines) == ("dead", True, [])
    world.fail_task(name="train")
    world.step(allowing(world))
    assert ended(world)[-1] == ("launched", "")
    assert any("ann@example.com" in line for line in lines if line.lower().startswith("rcpt"))


# ---- what is refused --------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("to", "said"),
    [
        (f"slack://T1JJ3T3L2/A1BRTD4JD/{CANARY}iajkdnlazkcOXrIdevi7", "the address holds a secret"),
        (f"https://hooks.slack.com/services/T1JJ3T3L2/A1BRTD4JD/{CANARY}jkdnlazkcOXrIdevi7", "env:NAME"),
        (f"discord://4174216298/{CANARY}Be7bk2ZwO5U711o3dV_js", "the address holds a secret"),
        (f"mailtos://user:{CANARY}@mail.example.com", "the address holds a secret"),
        (f"json://user:{CANARY}@hooks.example.com", "the address holds a secret"),
        (f"json://hooks.example.com/?+Authorization={CANARY}", "env:NAME"),
        ("json://hooks.example.com/in/xKq3Zt9LmP2vB7nR", "looks like a secret"),
        ("form://hooks.example.com/in/?to=0a1b2c3d-1111-2222-3333-444455556666", "looks like a secret"),
        ("json://hooks.example.com/T0KEN", "looks like a secret"),
        ("json://hooks.example.com/in/s3cr3t", "looks like a secret"),
        ("json://hooks.example.com/in/4f2a9c1e/", "looks like a secret"),
        ("xml://hooks.example.com/abc-Def9hIj_klm", "looks like a secret"),
        ("json://aB3xY9@hooks.example.com/in", "looks like a secret"),
        ("json://hooks.example.com/in?:route=aB3xY9zz", "looks like a secret"),
        ("ntfys://ntfy.example.com/k9Xz2q", "looks like a secret"),
        ("ntfy://k9Xz2q", "looks like a secret"),
        ("json://hooks.example.com/in?cb=https://ann:pw@hooks.example.com", "looks like a secret"),
        ("json://hooks.example.com/in;x=9x8y7z6w", "looks like a secret"),
        ("json://hooks.example.com/in#9x8y7z6w", "looks like a secret"),
        ("json://hooks.example.com:99999/in", "a port is a number"),
        (CANARY, "an address of apprise"),
        (f"nosuch://{CANARY}", "apprise does not know a service"),
        (f"json://${{object.name}}/{CANARY}", "references"),
        ("syslog://", "neither by HTTP nor by mail"),
        ("mailtos://mail.example.com?from=a@example.com&pgpprv=/etc/keys/team", "the address holds a secret"),
        ("env:TRIGGERS_NOTICE_SLACK_URL", "credentials of the workers"),
        (5, "env:SLACK_URL"),
    ],
)
def test_an_address_with_a_secret_in_clear_or_of_no_service_is_refused(to: Any, said: str) -> None:
    with pytest.raises(InvalidAction) as caught:
        Notify(to)
    assert said in str(caught.value)
    assert CANARY not in str(caught.value)


OF_FILES = [
    "fcm://project/device?keyfile=/etc/keys/push.json",
    "fcm://project/device?keyfile=https://files.example.com/push.json",
    "vapid://ann@example.com?keyfile=/etc/keys/push",
    "vapid://ann@example.com?subfile=/etc/keys/people",
]


@pytest.mark.parametrize("to", OF_FILES)
def test_an_address_in_clear_names_no_file_of_the_worker(world: World, to: str) -> None:
    with pytest.raises(InvalidAction, match="names a file, which a plain-text address may not do"):
        Notify(to)
    # one that was stored before it was refused is read, and sends nothing
    world.declare(world.trigger(actions=[{"type": "notify", "to": to}]))
    world.fail_task()
    world.step()
    (dead,) = world.ledger.operations.dead()
    assert "names a file" in dead.reason


def test_an_address_in_a_secret_may_name_a_file(
    world: World, receiver: Receiver, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Who sets a variable of the workers has their files in any case."""
    key = tmp_path / "key.json"
    monkeypatch.setenv("CHANNEL", f"fcm://project/device?mode=oauth2&keyfile={key}")
    declare(world, Notify("env:CHANNEL"))
    world.fail_task()
    world.step(allowing(world))
    assert ended(world)[-1] == ("failed", "env:CHANNEL: it was not sent"), "the file does not exist"


@pytest.mark.parametrize(
    "to",
    [
        "json://hooks.example.com/alerts/ml-team/v2",
        "json://localhost/alerts",
        "ntfy://ml-team",
        "xml://ops@hooks.example.com:8080/mlTeam/Failed",
        "jsons://hooks.example.com/%C3%BCber/notify?format=text",
        "mailtos://mail.example.com?from=ml-team@example.com&to=ann@example.com&mode=starttls",
    ],
)
def test_an_address_of_words_may_stand_in_clear(to: str) -> None:
    check_new(make_trigger("task", name="t", action=Notify(to)))


def test_what_was_stored_with_a_token_in_its_path_is_still_read() -> None:
    stored = {"type": "notify", "to": "json://hooks.example.com/T0KEN"}
    assert make_trigger("task", name="t", action={"type": "tag", "add": ["a"]}, actions=[stored])


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"text": ""}, "give a text"),
        ({"text": "${env:TOKEN}"}, "is a secret"),
        ({"title": "${object.nam}"}, "did you mean"),
        ({"level": "loud"}, "'warning'"),
    ],
)
def test_a_text_that_is_wrong_is_refused(fields: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidAction) as caught:
        Notify("env:CHANNEL", **fields)
    assert said in str(caught.value)


def test_without_the_library_one_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "apprise", None)
    with pytest.raises(LaunchImpossible, match="pip install apprise"):
        channels.send("json://h", "h", "text", title="", level="info", allowed=Allowed())


@pytest.mark.parametrize(
    "to",
    [
        f"json://127.0.0.1:9/{CANARY}", f"json://{CANARY}.invalid/", f"nosuch://{CANARY}", f"no address {CANARY}",
        f"slack://T1JJ3T3L2/A1BRTD4JD/{CANARY}iajkdnlazkcOXrIdevi7", f"mailto://u:{CANARY}@127.0.0.1:9?to=a@b.example",
    ],
)  # fmt: skip
def test_no_error_of_a_notification_holds_its_address(
    world: World,
    redis_client: redis.Redis,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    to: str,
) -> None:
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.INFO, "urllib3")  # as workers have it
    monkeypatch.setenv("CHANNEL", to)
    monkeypatch.setattr(socket, "create_connection", lambda *_, **__: pytest.fail("an unchecked connection"))
    world.declare(trigger(Notify("env:CHANNEL")))
    world.fail_task()
    real = socket.getaddrinfo
    monkeypatch.setattr(  # no look-up leaves the machine
        socket,
        "getaddrinfo",
        lambda host, *rest, **options: real("127.0.0.9" if "slack" in host else host, *rest, **options),
    )
    world.step(allowing(world))
    assert ended(world)
    stored = str([redis_client.dump(key) for key in redis_client.scan_iter()])
    for where in (caplog.text, stored, str(world.history())):
        assert CANARY not in where
