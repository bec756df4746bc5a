"""`clearml-triggers send`: actions tried on a real object, recorded, granting nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.integration.cli_verbs.conftest import run
from tests.integration.stages.conftest import World
from tests.toy_action import Receivers, known
from triggers.base.errors import Usage
from triggers.model import Trigger
from triggers.model.parts import is_trial
from triggers.operate import sending, wording
from triggers.operate.target import Target, open_target
from triggers.stages.act import act


@pytest.fixture
def receivers() -> Iterator[Receivers]:
    with known() as receivers:
        yield receivers


@pytest.fixture
def target(world: World) -> Iterator[Target]:
    with open_target(None) as target:
        yield target


def declared(world: World) -> Trigger:
    posts: list[dict[str, Any]] = [{"type": "posting", "host": host, "text": host} for host in ("a", "b")]
    trigger = world.trigger(actions=posts, on_failed=[{"type": "posting", "host": "alarm", "text": "alarm"}])
    world.declare(trigger)
    return trigger


def send(world: World, target: Any, wanted: str | None = None) -> tuple[str, list[sending.Trial]]:
    id_ = world.create_task()
    entry = world.ledger.registry.snapshot().entries["task:on failure"]
    trials, event = sending.send(target, entry, id_, wanted)
    assert event.id == id_
    act(world.ctx)
    return id_, trials


def test_actions_are_tried_once_recorded_and_grant_nothing(world: World, target: Any, receivers: Receivers) -> None:
    declared(world)
    id_, trials = send(world, target)
    assert sorted(receivers.texts()) == ["a", "b"]
    keys = receivers.keys()
    assert all(map(is_trial, keys))
    assert {one.state for one in sending.outcomes(target, trials, 1).values()} == {"launched"}
    assert world.history("granted") == world.history("launched") == []
    assert len(world.history("tried")) == len(world.history("acted")) == 2
    assert world.ledger.matching.mark("task:on failure", id_).occurrence == 0
    assert "send" in str(world.ledger.audit.read())
    world.call("tasks.started", task=id_)
    world.call("tasks.failed", task=id_)
    world.step()
    assert len(world.history("granted")) == 1, "a trial takes nothing from the firings that come"


@pytest.mark.parametrize(("wanted", "text"), [("2", "b"), ("on_failed.0", "alarm")])
def test_one_of_them(world: World, target: Any, receivers: Receivers, wanted: str, text: str) -> None:
    declared(world)
    send(world, target, wanted)
    assert receivers.texts() == [text]


def test_what_a_schedule_is_tried_with_is_a_time(world: World, receivers: Receivers) -> None:
    posts = [{"type": "posting", "host": "a", "text": "a"}]
    world.declare(world.trigger("schedule", "nightly", cron="0 3 * * *", actions=posts))
    refused = run("send", "nightly", "now")
    assert refused.code == 2
    assert "schedule 'nightly': 'now' is not a time; give one such as 2026-11-27T03:00:00Z" in refused.out
    assert run("send", "nightly", "2026-11-27T03:00:00Z", "--seconds", "0", "--json").json["trials"][0]["action"] == "1"


@pytest.mark.parametrize("wanted", ["0", "7", "on_resolved.0", "x"])
def test_what_cannot_be_tried_is_refused(world: World, target: Any, receivers: Receivers, wanted: str) -> None:
    declared(world)
    with pytest.raises(Usage):
        send(world, target, wanted)
    assert receivers.posts == []


def test_a_failing_trial_ends_without_retries_or_a_dead_letter(world: World, target: Any, receivers: Receivers) -> None:
    receivers.failing["a"] = 5
    trigger = declared(world)
    world.pause(trigger)  # a trial is not held
    _, trials = send(world, target, "1")
    (outcome,) = sending.outcomes(target, trials, 1).values()
    assert (outcome.state, outcome.reason) == ("skipped", "a answers 500")
    assert wording.action_state(outcome) == "failed"
    assert world.ledger.operations.dead() == []
    assert receivers.texts() == ["a"], "on_failed is for firings"


def test_the_verb_shows_what_became_of_each(
    world: World, receivers: Receivers, monkeypatch: pytest.MonkeyPatch
) -> None:
    receivers.failing["a"] = 1
    declared(world)
    id_ = world.create_task()
    outcomes = sending.outcomes

    def worked(*arguments: Any) -> Any:
        act(world.ctx)
        return outcomes(*arguments)

    monkeypatch.setattr(sending, "outcomes", worked)
    result = run("send", "on failure", id_, "--json")
    assert result.code == 1
    assert [(row["action"], row["state"]) for row in result.json["trials"]] == [("1", "failed"), ("2", "done")]
    assert run("send", "on failure", id_, "--action", "2").code == 0
    shown = run("history", "on failure", "--json").json
    assert {row["action"] for row in shown} == {"trial of action 1 (posting)", "trial of action 2 (posting)"}
    assert {(row["action"][-11:], row["what"]) for row in shown if row["what"] != "tried"} == {
        ("1 (posting)", "failed"), ("2 (posting)", "acted")
    }  # fmt: skip
    (failed,) = run("history", "--what", "failed", "--json").json
    assert failed["reason"] == "a answers 500"
    assert run("history", "--what", "skipped", "--json").json == []


def test_each_action_is_seen_by_dead_explain_and_history(world: World, receivers: Receivers) -> None:
    receivers.failing["a"] = 100
    declared(world)
    id_ = world.fail_task()
    world.step()
    for _ in range(world.settings.max_attempts):
        world.expire_leases()
        act(world.ctx)
    act(world.ctx)
    (dead,) = run("dead", "list", "--json").json
    assert (dead["action"], dead["object"]) == ("action 1 (posting)", id_)
    assert "action 1 (posting): a answers 500" in run("dead", "list", width=160).out
    explained = run("explain", "on failure", id_, "--json").json
    assert explained["answer"] == "fired"
    states = {row["action"]: row["state"] for row in explained["actions"]}
    assert states == {
        "action 1 (posting)": "dead", "action 2 (posting)": "launched", "on_failed 0 (posting)": "launched",
    }  # fmt: skip
    assert "on_failed 0 (posting)" in run("explain", "on failure", id_).out
    assert "post 'alarm' to alarm" in run("show", "on failure", width=200).out
    assert run("dead", "retry", dead["firing"][-6:], "--json").json == {"retried": 1}
    receivers.failing.clear()
    act(world.ctx)
    assert run("dead", "list", "--json").json == []
    assert receivers.texts().count("b") == 1
