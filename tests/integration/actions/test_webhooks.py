"""Webhooks: what is sent, how it is signed, and what becomes of it."""

from __future__ import annotations

import base64
import json
import logging
from typing import Any

import pytest
import redis
import standardwebhooks

from tests.integration.actions.conftest import allowing, declare, ended, trigger
from tests.integration.actions.receiver import Receiver, Reply
from tests.integration.stages.conftest import World
from triggers.actions import Webhook
from triggers.actions.listed import InvalidAction
from triggers.base.errors import InvalidTrigger
from triggers.model import Trigger, check_new, make_trigger
from triggers.sync.sections import read_section, write_section

PLAIN = "any text is a key"
ENCODED = "whsec_" + base64.b64encode(b"0123456789abcdef01234567").decode()


def test_a_webhook_tells_of_the_firing(world: World, receiver: Receiver) -> None:
    declare(world, Webhook(f"{receiver.url}/hook"), name="alert")
    task = world.fail_task(name="train", tags=["a", "b"])
    world.step(allowing(world))
    (received,) = receiver.received
    assert received.headers["content-type"] == "application/json"
    assert received.json["type"] == "trigger.fired"
    data = received.json["data"]
    assert (data["trigger"], data["firing"], data["launched"]) == ("alert", received.id, None)
    assert data["object"] | {"url": ""} == {
        "kind": "task", "id": task, "name": "train", "project": "", "url": "", "status": "failed", "tags": ["a", "b"],
    }  # fmt: skip
    assert task in data["object"]["url"]
    assert ended(world)[-1][0] == "launched"
    world.step(allowing(world))
    assert len(receiver.received) == 1, "once per object"


@pytest.mark.parametrize("secret", [PLAIN, ENCODED])
def test_a_signature_is_that_of_standard_webhooks(
    world: World, receiver: Receiver, monkeypatch: pytest.MonkeyPatch, secret: str
) -> None:
    monkeypatch.setenv("HOOK_SECRET", secret)
    declare(world, Webhook(receiver.url, secret="env:HOOK_SECRET", body={"name": "${object.name}"}))
    world.fail_task(name='"quoted" \u2028 \u00e4')
    world.step(allowing(world))
    (received,) = receiver.received
    key = standardwebhooks.Webhook(secret if secret.startswith("whsec_") else secret.encode())
    assert key.verify(received.body, received.headers) == {"name": '"quoted" \u2028 \u00e4'}
    with pytest.raises(standardwebhooks.webhooks.WebhookVerificationError):
        key.verify(received.body + b" ", received.headers)


def test_texts_are_filled_in_path_query_headers_and_body(
    world: World, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOKEN", "s3cret")
    action = Webhook(
        f"{receiver.url}/${{object.name}}?token=${{env:TOKEN}}&q=${{trigger.name}}",
        headers={"Authorization": "Bearer ${env:TOKEN}", "X-Whole": "env:TOKEN", "X-Name": "<${object.name}>"},
        body={"text": "${object.name}: ${object.metric[loss/train]}", "key": ["${env:TOKEN}"], "$${x}": "$${x}"},
    )
    declare(world, action)
    name = "a/../b?c=d&e\r\nX-Injected: 1 \u00e4 ${env:TOKEN}"
    task = world.create_task(name=name)
    world.call("tasks.started", task=task)
    event = {"type": "training_stats_scalar", "task": task, "iter": 1, "metric": "loss", "variant": "train"}
    world.call("events.add", **event, value=0.5)
    world.call("tasks.failed", task=task)
    world.step(allowing(world))
    (received,) = receiver.received
    assert received.path == (
        "/a%2F..%2Fb%3Fc%3Dd%26e%0D%0AX-Injected%3A%201%20%C3%A4%20%24%7Benv%3ATOKEN%7D?token=s3cret&q=t"
    )
    assert "x-injected" not in received.headers
    assert received.headers["authorization"] == "Bearer s3cret"
    assert received.headers["x-whole"] == "s3cret"
    assert received.headers["x-name"].encode("latin-1").decode() == (
        "<a/../b?c=d&e\\r\\nX-Injected: 1 \u00e4 ${env:TOKEN}>"
    ), "what an object is called is never a reference itself"
    assert received.json == {"text": f"{name}: 0.5", "key": ["s3cret"], "$${x}": "${x}"}


@pytest.mark.parametrize("status", [408, 425, 429, 500, 503])
def test_a_refusal_that_may_pass_is_tried_again_with_the_same_id(world: World, receiver: Receiver, status: int) -> None:
    receiver.answers(Reply(status), Reply(status), Reply(204, body=b""))
    declare(world, Webhook(receiver.url))
    world.fail_task()
    ctx = allowing(world)
    world.step(ctx)
    for _ in range(2):
        world.expire_leases()
        world.hints.acts = 1
        world.settle(ctx)
    assert len(receiver.received) == 3
    assert len({received.id for received in receiver.received}) == 1
    assert len({received.body for received in receiver.received}) == 1
    assert ended(world)[-1][0] == "launched"


def test_retry_after_is_obeyed(world: World, receiver: Receiver) -> None:
    receiver.answers(Reply(429, {"Retry-After": "100"}))
    declare(world, Webhook(receiver.url))
    world.fail_task()
    world.step(allowing(world))
    (due,) = [
        score
        for lane in ("dispatch", "act")
        for _, score in world.ledger.store.client.zrange(world.ledger.keys.due(lane), 0, -1, withscores=True)
    ]
    assert 95_000 < due - world.ledger.now_ms() <= 100_000


@pytest.mark.parametrize("reply", [Reply(400), Reply(404), Reply(410), Reply(302, {"Location": "/else"})])
def test_a_refusal_for_good_is_a_dead_letter(world: World, receiver: Receiver, reply: Reply) -> None:
    receiver.answers(reply)
    declare(world, Webhook(receiver.url))
    world.fail_task()
    world.step(allowing(world))
    what, reason = ended(world)[-1]
    assert what == "dead"
    assert f"127.0.0.1 answered {reply.status}" in reason
    assert len(receiver.received) == 1


def test_a_private_address_is_a_dead_letter_that_names_the_setting(world: World, receiver: Receiver) -> None:
    declare(world, Webhook(receiver.url))
    world.fail_task()
    world.step(allowing(world, webhook_allow=()))
    what, reason = ended(world)[-1]
    assert what == "dead"
    assert "TRIGGERS_WEBHOOK_ALLOW" in reason
    assert receiver.received == []


def test_settings_may_leave_webhooks_out(world: World, receiver: Receiver) -> None:
    declare(world, Webhook(receiver.url))
    world.fail_task()
    world.step(allowing(world, allow_actions=("tag",)))
    what, reason = ended(world)[-1]
    assert (what, "TRIGGERS_ALLOW_ACTIONS has tag" in reason) == ("dead", True)
    assert receiver.received == []


def test_shadow_mode_says_what_would_be_sent_and_sends_nothing(world: World, receiver: Receiver) -> None:
    declare(world, Webhook(f"{receiver.url}/hook?q=1"))
    world.fail_task()
    ctx = allowing(world)
    ctx.shadow = True
    world.step(ctx)
    assert ended(world)[-1] == ("shadow", f"would POST to {receiver.url}")
    assert receiver.received == []


# ---- what is refused when it is declared --------------------------------------------------------------------
CANARY = "c4n4ry"


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"url": "ftp://hooks.example.com"}, "give an address"),
        ({"url": "hooks.example.com/x"}, "give an address"),
        ({"url": "https://"}, "give an address"),
        ({"url": "https://hooks.example.com:99999/"}, "give an address"),
        ({"url": "https://hooks.example.com/a b"}, "cannot contain blanks"),
        ({"url": "https://hooks.example.com/\r\nX: y"}, "cannot contain blanks"),
        ({"url": "https://${object.name}/"}, "not in the host"),
        ({"url": "https://${env:HOST}/in"}, "env:NAME for a secret that is the whole address"),
        ({"url": "https://hooks.example.com/\ud800"}, "cannot contain blanks"),
        ({"headers": {"X-A": "\ud800"}}, "control characters"),
        ({"url": "https://hooks.example.com:${object.name}/"}, "give an address"),
        ({"url": "https://hooks.example.com/${object.nam}"}, "did you mean ${object.name}?"),
        ({"url": f"https://user:{CANARY}@hooks.example.com/"}, "env:NAME"),
        ({"url": f"https://hooks.example.com/?token={CANARY}"}, "env:NAME"),
        ({"url": f"https://hooks.slack.com/services/{CANARY}"}, "the whole address is a secret"),
        ({"url": f"https://discord.com/api/webhooks/1/{CANARY}"}, "the whole address is a secret"),
        ({"url": "env:TRIGGERS_REDIS_URL"}, "credentials of the workers"),
        ({"url": "file:../x"}, "env:NAME"),
        ({"secret": CANARY}, "env:NAME"),
        ({"secret": f"whsec_{CANARY}"}, "env:NAME"),
        ({"secret": "env:CLEARML_API_SECRET_KEY"}, "credentials of the workers"),
        ({"secrt": CANARY}, "did you mean secret?"),
        ({"headers": {"X-A": "b\r\nX-Injected: 1"}}, "without line breaks"),
        ({"headers": {"X-A": "b\nc"}}, "without line breaks"),
        ({"headers": {"X-A": "b\x00"}}, "without line breaks"),
        ({"headers": {"X-A\r\nX-B": "c"}}, "names of headers"),
        ({"headers": {"X A": "c"}}, "names of headers"),
        ({"headers": {"": "c"}}, "names of headers"),
        ({"headers": {"Host": "c"}}, "is set automatically"),
        ({"headers": {"content-length": "0"}}, "is set automatically"),
        ({"headers": {"Transfer-Encoding": "chunked"}}, "is set automatically"),
        ({"headers": {"Webhook-Id": "1"}}, "is set automatically"),
        ({"headers": {"X-A": "1", "x-a": "2"}}, "twice"),
        ({"headers": {"X-A": 1}}, "give a text"),
        ({"headers": {"Authorization": f"Bearer {CANARY}"}}, "Bearer ${env:NAME}"),
        ({"headers": {"X-Api-Key": CANARY}}, "env:NAME"),
        ({"headers": {"X-A": "${env:TRIGGERS_SIGNING_KEY}"}}, "credentials of the workers"),
        ({"headers": [CANARY]}, "a dictionary"),
        ({"body": "no JSON"}, "JSON"),
        ({"body": 5}, "a dictionary or a list"),
        ({"body": {"x": float("nan")}}, "values that JSON supports"),
        ({"body": {"x": object()}}, "values that JSON supports"),
        ({"body": {"x": "x" * 300_000}}, "at most"),
        ({"body": {"x": "${object.nam}"}}, "did you mean"),
        ({"body": {"x": "${env:CLEARML_API_SECRET_KEY}"}}, "credentials of the workers"),
    ],
)
def test_what_cannot_or_may_not_be_sent_is_refused_at_registration(fields: dict[str, Any], said: str) -> None:
    fields = {"url": "https://hooks.example.com/", **fields}
    with pytest.raises(InvalidAction) as in_script:
        Webhook(**fields)
    with pytest.raises(InvalidTrigger) as in_file:
        make_trigger("task", name="t", action={"type": "webhook", **fields})
    for error in (in_script.value, in_file.value):
        assert said in str(error)
        chain = json.dumps([str(error), repr(error), str(error.__cause__), str(error.__context__)])
        assert CANARY not in chain


TOKENS = (
    "xKq3Zt9LmP2vB7nR",
    "4f2a9c1e77b34d0f8a6b5c4d3e2f1a0b",
    "0a1b2c3d-1111-2222-3333-444455556666",
    "p4ssw0rdabcd",
    "aB3dE-f9GhI_jK2",
    "AbCdEfGhIjKlMnOp",
    "abcdefghijklmnopqrstuvwx",
    "bot123456:AAHk9_x8-q",
    "https://ann:pw@x",
)


@pytest.mark.parametrize("token", TOKENS)
@pytest.mark.parametrize(
    "fields",
    [
        {"url": "https://hooks.example.com/in/%s/enqueue"},
        {"url": "https://hooks.example.com/in#%s"},
        {"url": "https://hooks.example.com/in?to=%s"},
        {"url": "https://hooks.example.com/in", "headers": {"X-Route": "%s"}},
        {"url": "https://hooks.example.com/in", "body": {"event": [{"key": "%s"}]}},
        {"url": "https://hooks.example.com/in", "body": {"routing_key": "short"}},
        {"url": "https://hooks.example.com/in", "body": {"a": {"apiToken": "short"}}},
    ],
)
def test_a_token_in_clear_that_no_name_betrays_is_refused_in_new_triggers_and_read_in_old_ones(
    fields: dict[str, Any], token: str
) -> None:
    fields = json.loads(json.dumps(fields).replace("%s", token))
    with pytest.raises(InvalidAction, match="env:NAME") as in_script:
        Webhook(**fields)
    stored = make_trigger(
        "task", name="t", action={"type": "tag", "add": ["a"]}, actions=[{"type": "webhook", **fields}]
    )
    with pytest.raises(InvalidTrigger, match="env:NAME") as in_file:
        check_new(stored)
    for error in (in_script.value, in_file.value):
        assert token not in repr(error)
        assert "short" not in repr(error)
    before = make_trigger("task", name="t", action={"type": "tag", "add": ["a"]})
    with pytest.raises(InvalidTrigger, match="env:NAME"):
        check_new(stored, before)
    check_new(stored.model_copy(update={"owner": "@ann"}), stored)
    section = read_section("task", write_section([stored], {}), {}, [before])
    assert "env:NAME" in section.problems[0]
    assert token not in section.problems[0]
    assert not read_section("task", write_section([stored], {}), {}, [stored]).problems


@pytest.mark.parametrize(
    "fields",
    [
        {"url": "https://api.github.com/repos/my-organization/my-repo/actions/workflows/train-v2.yml/dispatches"},
        {"url": "https://hooks.example.com/${env:TOKEN}/clearml-production-2024?run=${object.id}"},
        {"url": "https://hooks.example.com/e2e-tests-v2/k8s/123456789012/internationalization/20241127/mlTeamAlerts"},
        {"url": "https://hooks.example.com/in", "headers": {"Accept": "application/vnd.github+json", "X-Key": "env:K"}},
        {"url": "https://hooks.example.com/in", "body": {"id": TOKENS[1], "tokenizer": "bert", "key": "loss"}},
        {"url": "https://hooks.example.com/in", "body": {"routing_key": "${env:KEY}", "dedup_key": "${firing.key}"}},
    ],
)
def test_addresses_that_people_think_up_are_no_secrets(fields: dict[str, Any]) -> None:
    check_new(make_trigger("task", name="t", action={"type": "webhook", **Webhook(**fields).form()}))


def test_people_are_shown_the_host_of_an_address_alone(world: World, receiver: Receiver) -> None:
    """A path can hold a secret that nobody recognizes."""
    receiver.answers(Reply(500))
    declare(world, Webhook(f"{receiver.url}/{CANARY}?q={CANARY}"), name="t")
    world.fail_task()
    world.step(allowing(world))
    entry = world.ledger.registry.snapshot().entries["task:t"]
    said = [
        entry.trigger.action.words(),
        entry.trigger.action.done,
        entry.trigger.action.label,
        *map(str, ended(world)),
    ]
    assert f"POST to {receiver.url}" in said
    assert CANARY not in str(said)


def test_a_webhook_survives_being_stored() -> None:
    action = Webhook("https://h.example/x", secret="env:S", headers={"X": "env:T"}, body='{"a": ["${object.id}"]}')
    declared = make_trigger("model", name="t", action=action)
    assert Trigger.from_json(declared.to_json()) == declared
    assert action.body == {"a": ["${object.id}"]}
    assert make_trigger("model", name="t", action=action.form()) == declared


# ---- secrets in errors --------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "secret",
    [f"http://127.0.0.1:9/{CANARY}", f"http://{CANARY}.invalid/", f"no address {CANARY}", f"{CANARY}\n{CANARY}"],
)
def test_no_error_of_a_sending_holds_a_secret(
    world: World,
    receiver: Receiver,
    redis_client: redis.Redis,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    secret: str,
) -> None:
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.INFO, "urllib3")  # as workers have it
    monkeypatch.setenv("HOOK", secret)
    world.declare(
        trigger(Webhook("env:HOOK", secret="env:HOOK", headers={"X": "env:HOOK"}), name="by url"),
        trigger(Webhook("env:HOOK"), name="unsigned"),
        trigger(Webhook(receiver.url, headers={"X": "env:HOOK"}), name="in a header"),
        trigger(Webhook(receiver.url, secret="env:HOOK"), name="signed"),
        trigger(Webhook(f"{receiver.url}/${{env:HOOK}}", body={"key": "${env:HOOK}"}), name="in a path"),
    )
    receiver.answers(Reply(500, body=secret.encode()), Reply(410, body=secret.encode()))
    world.fail_task()
    world.step(allowing(world))
    assert ended(world), "something went wrong, and it says what"
    stored = str([redis_client.dump(key) for key in redis_client.scan_iter()])
    for where in (caplog.text, stored, str(world.history())):
        assert CANARY not in where
