"""Notices reach a webhook, Slack and the service task's log."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from tests.integration.stages.conftest import World
from tests.integration.trips import Trips, trips
from triggers.clearml_api import Api
from triggers.clearml_api.pauses import Pause
from triggers.context import Context
from triggers.context.api_account import ApiAccount
from triggers.ledger.deployment.schedulers import Scheduler
from triggers.stages.notify import notify

__all__ = ["trips"]


class Receiver(HTTPServer):
    """Takes what is posted; answers with `status`."""

    def __init__(self) -> None:
        self.posts: list[tuple[str, dict[str, str], bytes]] = []
        self.status = 200
        super().__init__(("127.0.0.1", 0), _Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.posts.append((self.path, dict(self.headers), body))  # type: ignore[attr-defined]
        self.send_response(self.server.status)  # type: ignore[attr-defined]
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.shutdown()
    receiver.server_close()


def scheduler(world: World) -> Scheduler:
    return Scheduler(world.sandbox.url, "w", "DevOps", "Scheduler", 5.0, service_task=world.service)


def console(world: World) -> list[str]:
    return [event["msg"] for event in world.call("events.get_task_log", task=world.service)["events"]]


def test_a_dead_letter_goes_to_the_webhook_to_slack_and_to_the_log(world: World, receiver: Receiver) -> None:
    ctx = world.context(
        max_attempts=1,
        notice_webhook_url=f"{receiver.url}/hook",
        notice_webhook_secret="secret",
        notice_slack_url=f"{receiver.url}/slack",
    )
    world.declare(world.trigger(name="retry", action={"queue": "nowhere"}, owner="@ann"))
    failed = world.fail_task(name="train")
    world.step(ctx)
    assert notify(ctx, scheduler(world)) == 1
    assert notify(ctx, scheduler(world)) == 0, "once"
    (hook, slack) = receiver.posts
    signed = f"{hook[1]['X-Triggers-Timestamp']}.".encode() + hook[2]
    assert hook[1]["X-Triggers-Signature"] == "sha256=" + hmac.new(b"secret", signed, hashlib.sha256).hexdigest()
    (notice,) = json.loads(hook[2])["notices"]
    assert (notice["kind"], notice["trigger"], notice["owner"]) == ("dead", "retry", "@ann")
    assert f"task 'train' ({failed})" in notice["text"]
    assert notice["link"].endswith(f"/experiments/{failed}/output/log")
    assert notice["object"] == failed
    assert "dead (@ann): trigger 'retry' gave up task 'train'" in json.loads(slack[2])["text"]
    assert any("'nowhere' is not on the server" in line for line in console(world))


def test_a_held_burst_and_stopped_polls_are_reported_without_any_address(world: World) -> None:
    world.declare(world.trigger(name="retry", policy={"max_per_minute": 1}))
    for _ in range(3):
        world.fail_task()
    world.step()
    assert notify(world.ctx, scheduler(world)) == 1
    assert "held burst" in console(world)[0]
    world.ledger.store.client.set(world.ledger.keys.next_poll, world.ledger.now_ms() - 600_000)
    assert notify(world.ctx, scheduler(world)) == 1
    world.poll()
    assert notify(world.ctx, scheduler(world)) == 1
    assert any("it is over: polls have stopped" in line for line in console(world))


def test_a_notice_that_nobody_took_is_sent_again(world: World, receiver: Receiver) -> None:
    ctx = world.context(max_attempts=1, notice_webhook_url=receiver.url)
    world.declare(world.trigger(name="retry", action={"queue": "nowhere"}))
    world.fail_task()
    world.step(ctx)
    receiver.status = 503
    assert notify(ctx, scheduler(world)) == 0
    receiver.status = 200
    assert notify(ctx, scheduler(world)) == 1
    assert notify(ctx, scheduler(world)) == 0


def lasting(world: World) -> dict[str, str]:
    """What has stopped, by kind."""
    from triggers.stages.stalled import stalled

    found = stalled(world.ledger, world.ledger.registry.snapshot(), 5.0, world.ctx.epoch.began_ms)
    return {name: text for name, (_, text) in found.items()}


def overdue(world: World, name: str, ms: int = 120_000) -> None:
    for member in world.ledger.store.client.zrange(name, 0, -1):
        world.ledger.store.client.zadd(name, {member: world.ledger.now_ms() - ms})


def test_two_roles_tell_so_that_one_tells_of_the_other() -> None:
    code = (
        "from workers.app import app; entries = app.conf.beat_schedule.values(); "
        "print(*sorted(e['options']['queue'] for e in entries if e['task'] == 'triggers.notify'))"
    )
    environ = {**os.environ, "TRIGGERS_REDIS_URL": "redis://localhost:1/0"}
    assert subprocess.check_output([sys.executable, "-c", code], env=environ, text=True).split() == ["dispatch", "poll"]


def test_dispatchers_that_are_gone_are_reported_by_others(world: World) -> None:
    world.declare(world.trigger(name="retry"))
    world.fail_task()
    world.poll()
    overdue(world, world.ledger.keys.ready)
    assert set(lasting(world)) == {"matching has stopped"}
    while world.hints.partitions:
        from triggers.stages.match import match

        match(world.ctx, world.hints.partitions.pop())
    assert lasting(world) == {}
    overdue(world, world.ledger.keys.due("dispatch"))
    assert "no dispatch worker" in lasting(world)["dispatch has stopped"]
    assert notify(world.ctx, scheduler(world)) == 1
    world.reconcile()
    assert lasting(world) == {}


def test_dispatchers_that_work_behind_a_flood_have_not_stopped(world: World) -> None:
    world.declare(world.trigger(name="retry"))
    world.fail_task()
    world.step()
    world.fail_task()
    world.poll()
    world.hints.dispatches = 0
    while world.hints.partitions:
        from triggers.stages.match import match

        match(world.ctx, world.hints.partitions.pop())
    overdue(world, world.ledger.keys.due("dispatch"))
    assert lasting(world) == {}, "one was launched a moment ago"


def test_polls_that_were_never_made_are_reported(world: World) -> None:
    from triggers.stages.stalled import stalled

    world.declare(world.trigger(name="retry"))
    snapshot, now_ms = world.ledger.registry.snapshot(), world.ledger.now_ms()
    assert stalled(world.ledger, snapshot, 5.0, now_ms - 10_000) == {}
    assert "polls have stopped" in stalled(world.ledger, snapshot, 5.0, now_ms - 120_000)


@pytest.mark.parametrize(
    ("pause", "reported"),
    [
        (Pause(300.0, 1, "429/0: Too many requests"), True),
        (Pause(50.0, 6, "429/0: Too many requests"), True),
        (Pause(32.0, 5, "429/0: Too many requests"), False),
    ],
)
def test_a_server_that_takes_no_calls_is_reported_if_this_lasts(world: World, pause: Pause, reported: bool) -> None:
    from triggers.stages.notify import _lasting

    def told(ctx: Context) -> dict[str, str]:
        found = _lasting(ctx, scheduler(world), world.ledger.registry.snapshot())
        return {name: notice.text for name, notice in found.items()}

    assert told(world.ctx) == {}
    world.api.new_pause = pause
    ApiAccount(None).settle(world.ledger.calls, world.api, force=True)
    found = told(world.ctx)
    assert list(found) == (["API pause"] if reported else [])
    assert not reported or "(429/0: Too many requests); the next call is made in" in found["API pause"]
    elsewhere = Api(replace(world.api.credentials, host="http://elsewhere"), timeout_seconds=60)
    assert told(replace(world.ctx, api=elsewhere)) == {}, "the pause is of another server"


def test_a_month_that_comes_to_more_calls_than_its_budget_is_reported_once(world: World) -> None:
    world.ledger.calls.settle({("poll", "tasks.get_all_ex", "ok"): 5}, None)
    assert notify(world.context(api_calls_per_month=10**9), scheduler(world)) == 0
    ctx = world.context(api_calls_per_month=1)
    assert notify(ctx, scheduler(world)) == 2
    assert notify(ctx, scheduler(world)) == 0, "once"
    used_up, comes_to = sorted(line for line in console(world) if "API budget" in line)
    assert "of 1 call of TRIGGERS_API_CALLS_PER_MONTH are made" in used_up
    assert "polls and launches wait until" in used_up
    assert "the projection for this month is" in comes_to


def test_a_turn_with_nothing_to_tell_makes_five_trips(world: World, trips: Trips) -> None:
    """The lease, one look, two for the server's pause, and the lease given back, however many triggers there are."""
    world.declare(*(world.trigger(name=f"t{n}", trigger_project="P") for n in range(20)), world.trigger())
    world.step()
    world.fail_task()
    world.step()
    notify(world.ctx, scheduler(world))
    assert world.history("launched")
    assert trips(lambda: notify(world.ctx, scheduler(world))) == 5
