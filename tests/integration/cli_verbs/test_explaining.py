"""`explain` takes what people have at hand, and its next step works."""

from __future__ import annotations

import pytest

from tests.integration.cli_verbs.conftest import run
from tests.integration.stages.conftest import World


@pytest.mark.parametrize(
    "address",
    [
        "https://app.clear.ml/projects/{project}/experiments/{id}/output/log",
        "http://localhost:8080/projects/*/tasks/{id}/info-output/metrics/scalar?columns=selected",
        "http://localhost:8080/projects/{project}/experiments/{id}/hyper-params/hyper-param/Args",
        "http://localhost:8080/datasets/simple/{project}/experiments/{id}",
    ],
)
def test_an_object_by_the_address_of_its_page(world: World, address: str) -> None:
    world.declare(world.trigger(name="retry"))
    task = world.fail_task()
    world.step()
    told = run("explain", "retry", address.format(id=task, project="a" * 32), "--json").json
    assert (told["object"], told["answer"]) == (task, "fired")
    assert run("explain", "retry", "https://app.clear.ml/projects/" + "a" * 32).code == 2


def test_an_object_by_its_name(world: World) -> None:
    world.declare(world.trigger(name="retry"))
    task = world.fail_task(name="train (a+b)")
    world.step()
    assert run("explain", "retry", "train (a+b)", "--json").json["object"] == task
    world.fail_task(name="train (a+b)")
    several = run("explain", "retry", "train (a+b)")
    assert several.code == 2
    assert task in several.out
    assert run("explain", "retry", "no such name", "--json").json["answer"] == "no such object"


def test_a_trigger_that_has_edited_what_it_fired_for_has_fired(world: World) -> None:
    tag = {"type": "tag", "add": ["seen"]}
    world.declare(world.trigger(name="retry", policy={"fire": "on_transition"}, actions=[tag]))
    task = world.fail_task()
    world.step()
    world.settle()
    told = run("explain", "retry", task, "--json")
    assert (told.code, told.json["answer"]) == (0, "fired")
    assert "its last change is an edit that this trigger made itself" in told.json["because"]
    assert [(one["action"], one["state"]) for one in told.json["actions"]] == [("action 1 (tag)", "launched")]


def test_actions_whose_turn_has_not_come_are_shown(world: World) -> None:
    later = {"type": "tag", "add": ["seen"], "on": "launched"}
    alarm = {"type": "comment", "text": "failed"}
    world.declare(world.trigger(name="retry", action={"queue": "nowhere"}, actions=[later], on_failed=[alarm]))
    task = world.fail_task()
    world.step()
    told = run("explain", "retry", task, "--json").json["actions"]
    assert {one["action"]: one["state"] for one in told} == {
        "action 1 (tag)": "not begun", "on_failed 0 (comment)": "not begun",
    }  # fmt: skip
    assert "not begun" in run("explain", "retry", task).out


def test_all_triggers_at_once(world: World) -> None:
    world.declare(
        world.trigger(name="retry"),
        world.trigger(name="gold", trigger_on_tags=["gold"]),
        world.trigger("model", name="deploy"),
    )
    task = world.fail_task()
    world.step()
    answers = {one["trigger"]: one["answer"] for one in run("explain", task, "--json").json}
    assert answers == {"retry": "fired", "gold": "does not fire"}
    shown = run("explain", task)
    assert shown.code == 0
    assert "trigger_on_tags: wanted" in shown.out
    mistaken = run("explain", "retry")
    assert mistaken.code == 2
    assert "is a trigger" in mistaken.out
    assert run("explain", "retry", task, "more").code == 2


def test_an_object_of_another_kind_is_named(world: World) -> None:
    world.declare(world.trigger(name="retry"), world.trigger("model", name="deploy", trigger_on_publish=True))
    task = world.fail_task()
    world.step()
    told = run("explain", "deploy", task)
    assert told.code == 1
    assert f"trigger 'deploy' is for models, and {task} is a ClearML task" in " ".join(told.out.split())
    assert "read" not in told.out
    for verb in ("fire", "send"):
        refused = run(verb, "deploy", task)
        assert refused.code == 2
        assert "is for models, and" in refused.out


def test_the_next_step_for_a_taken_slot_works(world: World) -> None:
    world.declare(world.trigger(name="retry", policy={"single_instance": True, "overlap": "queue"}))
    world.fail_task()
    world.step()
    (first,) = world.clones()
    waiting = world.fail_task()
    world.step()
    told = run("explain", "retry", waiting, "--json").json
    assert told["answer"] == "held"
    assert f"ClearML task {first['id']} is queued" in told["because"]
    assert "slots release --force task:retry" in told["way_out"]
    (hold,) = run("holds", "list", "--json").json
    assert first["id"] in hold["reason"]
    assert run("slots", "release", "task:retry", "--force").code == 0
    world.reconcile()
    assert sorted(world.runs().values()) == [1, 1]


def test_an_unknown_hold_and_an_unknown_sort_of_history_are_refused(world: World) -> None:
    world.declare(world.trigger(name="retry"))
    for verb in (["holds", "list", "pace:task:x"], ["holds", "release", "nothing"], ["holds", "drop", "nothing"]):
        refused = run(*verb)
        assert (refused.code, "no firing is held" in refused.out) == (2, True), verb
    refused = run("history", "--what", "lunched")
    assert refused.code == 2
    assert "launched" in refused.out
