"""Firings that fail and are tried again are seen everywhere, and can be tried at once."""

from __future__ import annotations

import pytest

from tests.integration.cli_verbs.conftest import run
from tests.integration.stages.conftest import World
from tests.toy_action import known


@pytest.fixture
def failed(world: World) -> str:
    """The object of a firing whose queue is missing."""
    world.declare(world.trigger(name="retry", action={"queue": "nowhere"}))
    task = world.fail_task()
    world.step()
    return task


def postpone(world: World, seconds: float) -> None:
    due = world.ledger.keys.due("dispatch")
    for key in world.ledger.store.client.zrange(due, 0, -1):
        world.ledger.store.client.zadd(due, {key: world.ledger.now_ms() + 1000 * seconds})


def test_a_failing_trigger_is_seen_in_every_verb(world: World, failed: str) -> None:
    postpone(world, 240)
    words = "failing (1 of 10, next in 4 min)"
    assert words in run("list", width=200).out
    assert words in run("show", "retry").out
    assert "nowhere" in run("show", "retry").out
    explained = run("explain", "retry", failed, "--json")
    assert (explained.code, explained.json["answer"]) == (1, "failing")
    assert words in explained.json["because"]
    assert "`clearml-triggers failing list`" in run("dead", "list").out
    (listed,) = run("list", "--json").json
    assert listed["state"] == "failing"
    assert (listed["failing"]["failures"], listed["failing"]["attempts"]) == (1, 10)
    assert run("status", "--json").json["failing"] == 1
    (one,) = run("failing", "list", "--json").json
    assert (one["object"], one["failures"], one["action"]) == (failed, 1, "")


def test_the_action_that_fails_is_named(world: World) -> None:
    with known() as receivers:
        receivers.failing["broken"] = 9
        posts = [{"type": "posting", "host": host, "text": "x"} for host in ("fine", "broken")]
        world.declare(world.trigger(name="tell", actions=posts))
        world.fail_task()
        world.step()
        (one,) = run("failing", "list", "--json").json
        assert (one["action"], one["firing"][-2:]) == ("action 2 (posting)", "-2")
        assert "action 2 (posting): broken answers 500" in run("failing", "list", width=200).out


def test_a_failing_firing_is_tried_at_once_as_the_runbook_says(world: World, failed: str) -> None:
    postpone(world, 1800)
    world.reconcile()
    assert world.clones() == []
    world.call("queues.create", name="nowhere")
    assert run("failing", "retry", "--all", "--json").json == {"retried": 1}
    world.reconcile()
    assert list(world.runs().values()) == [1]
    assert run("list", "--json").json[0]["failing"] is None
    assert "no firing is failing" in run("failing", "list").out
    assert run("explain", "retry", failed, "--json").json["answer"] == "fired"


def test_a_firing_that_is_being_tried_is_left_to_its_attempt(world: World, failed: str) -> None:
    ledger = world.ledger
    (key,) = ledger.store.client.zrange(ledger.keys.due("dispatch"), 0, -1)
    ledger.store.client.zadd(ledger.keys.due("dispatch"), {key: 0})
    assert len(ledger.firings.claim("dispatch", 1, 60).firings) == 1
    (one,) = run("failing", "list", "--json").json
    assert one["in_hand"] is True
    assert run("failing", "retry", failed, "--json").json == {"retried": 0}
    assert ledger.firings.claim("dispatch", 1, 60).firings == ()


def test_a_failing_firing_is_no_dead_letter_yet_and_the_refusal_says_which_verb(world: World, failed: str) -> None:
    refused = run("dead", "retry", failed)
    assert refused.code == 2
    (one,) = run("failing", "list", "--json").json
    assert f"clearml-triggers failing retry {one['firing'][-10:]}" in refused.out


def test_which_firings_are_meant_must_be_given(world: World, failed: str) -> None:
    assert run("failing", "retry").code == 2
    assert run("failing", "retry", failed, "--all").code == 2
    assert run("failing", "retry", "f" * 10).code == 2
    assert run("failing", "retry", "--trigger", "retyr").code == 2
