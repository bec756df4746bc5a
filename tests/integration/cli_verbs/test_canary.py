"""Secrets come up on no surface, whatever fails: verbs, logs, Redis, the service task, metrics, messages of errors.

The secrets are found in the settings, not listed. `tests/deploy/test_flower.py` does so with the roles as processes.
"""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import pytest
import redis

from tests.integration.cli_verbs.conftest import run
from tests.integration.cli_verbs.test_hostile_names import arguments, verbs
from tests.integration.stages.conftest import World
from triggers.actions import Notify, Webhook
from triggers.base.errors import Refused, ServerUnavailable, TriggersError, Usage
from triggers.base.settings import Settings, settings, settings_of
from triggers.clearml_api import Api, Credentials
from triggers.configuration.writing import dump
from triggers.ledger.deployment import schedulers
from triggers.model import Trigger, make_trigger
from triggers.stages.notify import notify
from triggers.stages.sync import sync

CANARY = "c4n4ry"
#: Secrets whose value has to work for anything to run; they are tried where they fail, below.
_NEEDED = {"redis_url", "redis_password"}


def secrets() -> dict[str, str]:
    """Each secret setting with a canary: as an address where it is one, that nothing listens at."""
    names = [name for name, field in Settings.model_fields.items() if not field.repr and name not in _NEEDED]
    return {
        name: f"http://127.0.0.1:9/{CANARY}-{name}" if name.endswith("_url") else f"{CANARY}-{name}" for name in names
    }


@pytest.fixture
def canaries(world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> list[str]:
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.INFO, "urllib3")  # as workers have it
    for name, value in secrets().items():
        monkeypatch.setenv(f"TRIGGERS_{name.upper()}", value)
    settings.cache_clear()
    return [CANARY, world.sandbox.secret_key, world.sandbox.access_key]


def acting(monkeypatch: pytest.MonkeyPatch) -> list[Trigger]:
    """Triggers whose actions refer to secrets, at an address that nothing listens at."""
    monkeypatch.setenv("HOOK", f"http://127.0.0.1:9/{CANARY}-hook")
    monkeypatch.setenv("CHANNEL", f"json://127.0.0.1:9/{CANARY}-channel")
    actions = [Webhook("env:HOOK", secret="env:HOOK", headers={"X-Key": "env:HOOK"}), Notify("env:CHANNEL")]
    return [
        make_trigger("task", name=f"acting {each.type}", trigger_on_status=["failed"], action=each) for each in actions
    ]


def clean(where: str, text: str, canaries: list[str]) -> None:
    assert [canary for canary in canaries if canary in text] == [], where


def test_the_secrets_are_known() -> None:
    assert {"notice_webhook_url", "notice_webhook_secret", "notice_slack_url"} <= set(secrets())


def test_no_verb_and_no_log_shows_a_secret(
    world: World,
    canaries: list[str],
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world.declare(world.trigger(name="t", action={"queue": "nowhere"}), *acting(monkeypatch))
    task = world.fail_task()
    world.step(world.context(max_attempts=1, webhook_allow=("127.0.0.1",)))
    file = tmp_path / "triggers.yaml"
    file.write_text(dump([world.trigger(name="from file")]))
    for verb in verbs():
        for options in ([], ["--json"]):
            said = run(*verb, *options, *(arg.replace("hostile", "t") for arg in arguments(world, verb, task, file)))
            clean(" ".join(verb), said.out, canaries)
    clean("log", caplog.text, canaries)


def test_nothing_that_is_stored_or_reported_holds_a_secret(
    world: World,
    canaries: list[str],
    redis_client: redis.Redis,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ctx = world.context(max_attempts=1, webhook_allow=("127.0.0.1",), **secrets())
    world.declare(world.trigger(name="t", action={"queue": "nowhere"}), *acting(monkeypatch))
    world.fail_task()
    world.step(ctx)
    (record,) = schedulers.all_of(redis_client).values()
    assert sync(ctx, record, force=True) is not None
    notify(ctx, record)
    assert "could not be sent" in caplog.text, "notices fail, and say so"
    clean("log", caplog.text, canaries)
    clean("service task", json.dumps(world.call("tasks.get_by_id", task=world.service)), canaries)
    clean("console", json.dumps(world.call("events.get_task_log", task=world.service)), canaries)
    clean("plots", json.dumps(world.call("events.get_task_events", task=world.service, event_type="plot")), canaries)
    for key in redis_client.scan_iter():
        clean(f"Redis {key}", str(_content(redis_client, str(key))), canaries)
    from workers.exporter import Exporter

    clean("metrics", str([family.samples for family in Exporter(redis_client, ctx.settings).collect()]), canaries)


def _content(client: redis.Redis, key: str) -> Any:
    match client.type(key):
        case "string":
            return client.get(key)
        case "hash":
            return client.hgetall(key)
        case "list":
            return client.lrange(key, 0, -1)
        case "set":
            return client.smembers(key)
        case "zset":
            return client.zrange(key, 0, -1)
        case _:
            return client.xrange(key)


@pytest.mark.parametrize("name", [name for name, field in Settings.model_fields.items() if not field.repr])
def test_no_message_about_a_setting_shows_a_secret_one(name: str) -> None:
    for value in (f"{CANARY}\x00", f"redis://:{CANARY}@[::1", f"{CANARY}://x"):
        try:
            shown = repr(settings_of({f"TRIGGERS_{name.upper()}": value}))
        except Usage as error:
            shown = str(error)
        clean(name, shown, [CANARY])


@pytest.mark.parametrize("url", [f"redis://:{CANARY}@127.0.0.1:9/0", f"rediss://user:{CANARY}@127.0.0.1:9"])
def test_no_verb_shows_the_password_of_a_redis_that_does_not_answer(
    world: World, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("TRIGGERS_REDIS_URL", url)
    settings.cache_clear()
    try:
        said = run("list").out
    except redis.RedisError as error:
        said = str(error)
    clean("list", said, [CANARY])
    settings.cache_clear()


def test_no_error_of_a_call_shows_the_keys(world: World, caplog: pytest.LogCaptureFixture) -> None:
    for host in (world.sandbox.url, "http://127.0.0.1:9", f"http://user:{CANARY}@127.0.0.1:9"):
        credentials = Credentials(host, f"{CANARY}-access", f"{CANARY}-secret", verify=True)
        clean("repr", repr(credentials), [f"{CANARY}-secret"])
        with pytest.raises(TriggersError) as caught:
            Api(credentials, timeout_seconds=60).call("tasks.get_all", {})
        assert isinstance(caught.value, (Refused, ServerUnavailable))
        clean(host, str(caught.value), [CANARY])
    clean("log", caplog.text, [CANARY])
