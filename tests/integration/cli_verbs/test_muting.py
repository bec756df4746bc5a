"""`mute`: the trigger fires and is recorded as before, and nobody is notified of it."""

from __future__ import annotations

import pytest

from tests.integration.cli_verbs.conftest import run
from tests.integration.stages.conftest import World
from triggers.cli import completion
from triggers.ledger.deployment.schedulers import Scheduler
from triggers.stages.notify import notify


def notified(world: World) -> int | None:
    return notify(world.ctx, Scheduler(world.sandbox.url, "w", "DevOps", "Scheduler", 5.0, service_task=world.service))


@pytest.fixture
def failing(world: World) -> World:
    """A trigger whose launches can only fail, and another."""
    world.declare(world.trigger(name="broken", action={"base_task_id": "f" * 32}), world.trigger(name="other"))
    world.step()
    return world


def test_it_fires_and_is_recorded_and_nobody_is_notified(failing: World) -> None:
    assert run("mute", "broken", "--for", "2h", "--json").json["muted"] == ["broken"]
    for _ in range(2):
        failing.fail_task()
    failing.step()
    assert len(failing.history("dead")) == 2
    assert len(failing.runs()) == 2, "the other fires"
    assert notified(failing) == 0
    assert run("unmute", "broken").out == "unmuted: broken\n"
    assert notified(failing) == 1, "both in one"
    assert notified(failing) == 0


def test_it_is_shown_until_it_ends(failing: World) -> None:
    run("mute", "broken", "--for", "1h30m")
    run("mute", "other")
    shown = {one["name"]: (one["muted"], one["muted_until"] is None) for one in run("list", "--json").json}
    assert shown == {"broken": (True, False), "other": (True, True)}
    assert "active, muted" in run("list", width=140).out
    assert "until `unmute`: nobody is notified" in run("show", "other").out
    assert run("status", "--json").json["muted"] == 2
    assert "2 muted" in run("status").out
    ledger = failing.ledger
    ledger.mutes.mute(["task:broken"], ledger.now_ms() - 1)
    assert {one["name"] for one in run("list", "--json").json if one["muted"]} == {"other"}
    assert run("unmute", "--all", "--json").json == {"unmuted": ["other"]}
    assert run("unmute", "--all").out == "none of them is muted: nothing to do\n"


def test_each_is_in_the_audit_log(failing: World) -> None:
    run("mute", "broken", "--for", "2h")
    run("unmute", "broken")
    lines = [line for line in run("audit", "--json").json if line["what"] in ("mute", "unmute")]
    assert [(line["what"], line["who"], line["outcome"]) for line in lines] == [
        ("mute", "tester", "done"),
        ("unmute", "tester", "done"),
    ]
    assert lines[0]["triggers"] == ["broken"]
    assert lines[0]["until"]


@pytest.mark.parametrize("length", ["", "0h", "soon", "-1h", "99999999999w"])
def test_a_wrong_length_is_refused_with_a_fix(failing: World, length: str) -> None:
    refused = run("mute", "broken", "--for", length)
    assert refused.code == 2
    assert "--for" in refused.out
    assert not failing.ledger.mutes.at(failing.ledger.now_ms())


def test_names_are_completed(failing: World) -> None:
    class Given:
        params: dict[str, str] = {}  # noqa: RUF012

    assert failing
    assert completion.triggers(Given(), "bro") == ["broken"]  # type: ignore[arg-type]
    assert run("mute", "broke").code == 2
    assert run("mute").code == 2
