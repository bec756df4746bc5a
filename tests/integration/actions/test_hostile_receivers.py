"""Receivers, names and addresses that do what they should not: what is sent stays one bounded request."""

from __future__ import annotations

import base64
import gzip
import hashlib
import hmac
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest
import standardwebhooks

from tests.integration.actions.conftest import allowing, declare, ended
from tests.integration.actions.receiver import Receiver, Reply
from tests.integration.stages.conftest import World
from triggers.actions import Comment, Notify, Tag, Webhook
from triggers.actions.listed import Listed
from triggers.actions.sending import channels
from triggers.actions.sending.connections import post
from triggers.base.errors import LaunchImpossible
from triggers.base.receivers import Allowed

LOOPBACK = Allowed.of(["127.0.0.1", "::1"])
KEY = b"0123456789abcdefghijklmn"


# ---- what is sent -----------------------------------------------------------------------------------------------
@pytest.mark.parametrize("secret", [f"whsec_{base64.b64encode(KEY).decode()}", KEY.decode()])
@pytest.mark.parametrize("where", ["env", "file"])
def test_a_signature_can_be_computed_by_hand(
    world: World, receiver: Receiver, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, secret: str, where: str
) -> None:
    monkeypatch.setenv("HOOK_SECRET", secret)
    monkeypatch.setenv("TRIGGERS_SECRETS_DIR", str(tmp_path))
    (tmp_path / "HOOK_SECRET").write_text(f"{secret}\n")
    declare(world, Webhook(receiver.url, secret=f"{where}:HOOK_SECRET"))
    world.fail_task(name="train \u00e4")
    world.step(allowing(world))
    (received,) = receiver.received
    signed = f"{received.id}.{received.headers['webhook-timestamp']}.".encode() + received.body
    expected = base64.b64encode(hmac.new(KEY, signed, hashlib.sha256).digest()).decode()
    assert received.headers["webhook-signature"] == f"v1,{expected}"


@pytest.mark.parametrize("rest", ["a-b_", "YWJj!", "YWJ j", "YQ", "", "\u00e4bcd"])
def test_a_key_that_is_no_base64_signs_nothing(
    world: World, receiver: Receiver, monkeypatch: pytest.MonkeyPatch, rest: str
) -> None:
    """Receivers read such a key in different ways, or not at all."""
    monkeypatch.setenv("HOOK_SECRET", f"whsec_{rest}")
    declare(world, Webhook(receiver.url, secret="env:HOOK_SECRET"))
    world.fail_task()
    world.step(allowing(world))
    what, reason = ended(world)[-1]
    assert (what, "what follows is not base64" in reason) == ("dead", True)
    assert receiver.received == []


def test_a_key_with_a_line_break_behind_it_is_read_without(
    world: World, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = f"whsec_{base64.b64encode(KEY).decode()}"
    monkeypatch.setenv("HOOK_SECRET", f"{secret}\n")
    declare(world, Webhook(receiver.url, secret="env:HOOK_SECRET"))
    world.fail_task()
    world.step(allowing(world))
    (received,) = receiver.received
    standardwebhooks.Webhook(secret).verify(received.body, received.headers)


def test_each_header_is_sent_once_in_whichever_case_it_is_given(world: World, receiver: Receiver) -> None:
    declare(world, Webhook(receiver.url, headers={"content-type": "application/vnd.x+json", "USER-AGENT": "me"}))
    world.fail_task()
    world.step(allowing(world))
    (received,) = receiver.received
    assert len(received.header_names) == len(set(received.header_names))
    assert (received.headers["content-type"], received.headers["user-agent"]) == ("application/vnd.x+json", "me")


@pytest.mark.parametrize(
    ("headers", "sent"),
    [({}, f"Basic {base64.b64encode(b'ann:p@ss word').decode()}"), ({"Authorization": "env:OWN"}, "Bearer x")],
)
def test_a_login_in_a_secret_address_is_sent_as_such(
    world: World, receiver: Receiver, monkeypatch: pytest.MonkeyPatch, headers: dict[str, str], sent: str
) -> None:
    monkeypatch.setenv("HOOK", receiver.url.replace("http://", "http://ann:p%40ss%20word@"))
    monkeypatch.setenv("OWN", "Bearer x")
    declare(world, Webhook("env:HOOK", headers=headers))
    world.fail_task()
    world.step(allowing(world))
    (received,) = receiver.received
    assert received.headers["authorization"] == sent
    assert received.header_names.count("authorization") == 1
    assert received.headers["host"] == f"127.0.0.1:{receiver.server_port}"


@pytest.mark.parametrize("url", ["http://a..b/x", f"http://{'x' * 64}.example/", "http://[::1/x", "http://[v1.x]/"])
def test_an_address_that_nobody_can_connect_to_is_named(
    world: World, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("HOOK", url)
    declare(world, Webhook("env:HOOK"))
    world.fail_task()
    world.step(allowing(world))
    what, reason = ended(world)[-1]
    assert "Error" not in reason, f"{what}: {reason}"


# ---- what objects are called ------------------------------------------------------------------------------------
HUGE = "x" * 20_000


def test_a_name_that_no_address_can_hold_is_sent_as_far_as_it_can_be(world: World, receiver: Receiver) -> None:
    """A lone surrogate, which JSON can spell and UTF-8 cannot."""
    declare(world, Webhook(f"{receiver.url}/${{object.name}}", headers={"X-Name": "${object.name}"}))
    world.fail_task(name="train \ud800")
    world.step(allowing(world))
    (received,) = receiver.received
    assert (received.path, received.headers["x-name"]) == ("/train%20%3F", "train \\ud800")
    assert received.json["data"]["object"]["name"] == "train \ud800"


@pytest.mark.parametrize(
    "action",
    [
        Webhook("http://127.0.0.1:9/", body=["${object.name}"] * 10_000),
        Notify("json://127.0.0.1:9/", text="${object.name}" * 700),
        Comment("${object.name}" * 280),
        Tag(add=["${object.name}" * 1000]),
    ],
    ids=lambda action: action.type,
)
def test_a_huge_name_fills_no_worker(world: World, action: Listed) -> None:
    declare(world, action)
    world.fail_task(name=HUGE)
    tracemalloc.start()
    try:
        world.step(allowing(world))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    what, reason = ended(world)[-1]
    assert (what, "its references stand for more than 1,000,000 characters" in reason) == ("dead", True)
    assert peak < 60_000_000


def test_an_address_that_a_name_makes_too_long_says_so(world: World) -> None:
    declare(world, Webhook("http://127.0.0.1:9/${object.name}"))
    world.fail_task(name=HUGE)
    world.step(allowing(world))
    what, reason = ended(world)[-1]
    assert (what, "4,000 characters" in reason) == ("dead", True)


def test_a_tag_of_a_name_is_one_that_can_be_shown(world: World) -> None:
    declare(world, Tag(add=["of ${object.name}"]))
    id_ = world.fail_task(name="a\r\nb\u202e")
    world.step()
    (task,) = world.call("tasks.get_all", id=[id_], only_fields=["tags"])["tasks"]
    assert task["tags"] == ["of a\\r\\nb\\u202e"]


def test_a_tag_that_references_make_both_added_and_removed_stays(world: World) -> None:
    declare(world, Tag(add=["${object.status}"], remove=["failed"]))
    id_ = world.fail_task(tags=["failed"])
    world.step()
    (task,) = world.call("tasks.get_all", id=[id_], only_fields=["tags"])["tasks"]
    assert (task["tags"], ended(world)[-1]) == (["failed"], ("launched", "it already had these tags"))


@pytest.mark.parametrize("call", ["@channel", "<!channel>", "!here>", "<users/all>", '<at user_id="all">', "<@U1>"])
def test_no_name_calls_a_channel(world: World, receiver: Receiver, call: str) -> None:
    to = f"json://127.0.0.1:{receiver.server_port}/"
    declare(world, Notify(to, text="${object.name} done!", title="${object.name}"))
    world.fail_task(name=f"train {call}")
    world.step(allowing(world))
    said = receiver.received[0].json
    assert call not in said["message"] + said["title"]
    assert said["message"].replace("\u200b", "") == f"train {call} done!"


# ---- what receivers answer --------------------------------------------------------------------------------------
def bomb(size: int) -> Reply:
    return Reply(200, {"Content-Encoding": "gzip"}, body=gzip.compress(b"\0" * size))


def by_webhook(receiver: Receiver) -> None:
    assert post(receiver.url, b"", {}, allowed=LOOPBACK).status == 200


def by_notification(receiver: Receiver) -> None:
    address = f"json://127.0.0.1:{receiver.server_port}/"
    channels.send(address, "r", "text", title="", level="info", allowed=LOOPBACK)


@pytest.mark.parametrize("send", [by_webhook, by_notification])
def test_an_answer_that_unpacks_to_much_takes_no_memory(receiver: Receiver, send: Callable[[Receiver], None]) -> None:
    receiver.answers(Reply(), bomb(200_000_000))
    send(receiver)  # what is imported for the first one does not count
    tracemalloc.start()
    try:
        send(receiver)
        assert tracemalloc.get_traced_memory()[1] < 20_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "raw",
    [
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFF\r\nx",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\nx\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n1\r\nx\r\n",
        b"HTTP/1.0 200\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: br\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip, gzip, gzip, gzip, gzip, gzip, gzip\r\n\r\nabc",
    ],
)
def test_once_the_status_is_there_it_counts(receiver: Receiver, raw: bytes) -> None:
    receiver.answers(Reply(raw=raw))
    by_webhook(receiver)


@pytest.mark.parametrize(
    ("asked", "least", "most"),
    [
        ("-5", 0, 60),
        ("999999999999", 3_540, 3_660),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 3_540, 3_660),
        ("Mon, 01 Jan 0001 00:00:00", 0, 60),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0, 60),
        ("1e9", 0, 60),
        ("tomorrow", 0, 60),
        ("5, 7", 0, 60),
        ("\xb2", 0, 60),
    ],
)
@pytest.mark.parametrize("of", ["webhook", "notify"])
def test_a_pause_that_makes_no_sense_is_bounded_and_the_next_try_comes(
    world: World, receiver: Receiver, of: str, asked: str, least: float, most: float
) -> None:
    receiver.answers(Reply(503, {"Retry-After": asked}), Reply())
    to = Webhook(receiver.url) if of == "webhook" else Notify(f"json://127.0.0.1:{receiver.server_port}/")
    declare(world, to)
    world.fail_task()
    world.step(allowing(world))
    assert ended(world)[-1][0] == "failed"
    ((_, at),) = world.ledger.store.client.zrange(world.ledger.keys.due("act"), 0, -1, withscores=True)
    assert least * 1000 <= at - world.ledger.now_ms() + 30_000
    assert at - world.ledger.now_ms() <= most * 1000
    world.expire_leases()
    world.hints.acts = 1
    world.settle(allowing(world))
    assert ended(world)[-1][0] == "launched"


def test_the_id_stays_through_a_dead_letter_and_its_retry(world: World, receiver: Receiver) -> None:
    receiver.answers(Reply(500), Reply(410), Reply())
    declare(world, Webhook(receiver.url))
    world.fail_task()
    world.step(allowing(world))
    world.expire_leases()
    world.hints.acts = 1
    world.settle(allowing(world))
    (dead,) = world.ledger.operations.dead()
    assert world.ledger.operations.retry_dead(dead.key)
    world.hints.acts = 1
    world.settle(allowing(world))
    assert len(receiver.received) == 3
    assert {received.id for received in receiver.received} == {dead.key}
    assert ended(world)[-1][0] == "launched"


@pytest.mark.parametrize(
    "location", ["http://127.0.0.1:1/", "http://169.254.169.254/latest/meta-data/", "//10.0.0.1/", "file:///etc/passwd"]
)
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_leads_anywhere(receiver: Receiver, status: int, location: str) -> None:
    receiver.answers(Reply(status, {"Location": location}))
    assert post(receiver.url, b"{}", {}, allowed=LOOPBACK).status == status
    with pytest.raises(LaunchImpossible, match="redirects are not followed"):
        by_notification(receiver)
    assert len(receiver.received) == 2


@pytest.mark.parametrize(
    "host",
    [
        "0", "0.0.0.0", "127.1", "0177.0.0.1", "0x7f000001", "LOCALHOST", "[::]", "[::1]", "[::ffff:7f00:1]",
        "[::127.0.0.1]", "[0:0:0:0:0:ffff:127.0.0.1]", "[64:ff9b::7f00:1]", "100.64.0.1", "169.254.169.254",
        "[fd00:ec2::254]", "\uff11\uff12\uff17.0.0.1", "127\u30020\u30020\u30021", "[2002:7f00:1::]", "224.0.0.1",
    ],
)  # fmt: skip
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_no_spelling_of_an_inner_address_is_sent_to(receiver: Receiver, scheme: str, host: str) -> None:
    with pytest.raises(LaunchImpossible, match=r"TRIGGERS_WEBHOOK_ALLOW|is not a valid host name"):
        post(f"{scheme}://{host}:{receiver.server_port}/", b"", {}, allowed=Allowed())
    address = f"{'jsons' if scheme == 'https' else 'json'}://{host}:{receiver.server_port}/"
    with pytest.raises(LaunchImpossible, match=r"TRIGGERS_WEBHOOK_ALLOW|apprise does not know a service"):
        channels.send(address, "r", "text", title="", level="info", allowed=Allowed())
    assert receiver.received == []
