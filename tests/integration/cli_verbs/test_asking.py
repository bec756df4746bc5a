"""Verbs that ask: list, show, history, explain, test, status, doctor, audit."""

from __future__ import annotations

import pytest

from tests.integration.cli_verbs.conftest import run
from tests.integration.stages.conftest import World
from triggers.explain import explain


def test_list_and_show_tell_state_counts_and_last_firing(world: World) -> None:
    retry, paused = world.trigger(name="retry"), world.trigger(name="paused one", trigger_on_tags=["gold"])
    world.declare(retry, paused)
    world.pause(paused)
    assert {one["state"] for one in run("list", "--json").json} == {"new", "paused"}
    world.step()
    failed = world.fail_task()
    world.step()
    (first, second) = run("list", "--json").json
    assert (first["name"], first["state"], second["name"], second["state"]) == (
        "paused one",
        "paused",
        "retry",
        "active",
    )
    assert second["counts"] == {"granted": 1, "launched": 1}
    assert second["last_fired"]["object"] == second["last_event"]["object"] == failed
    assert second["last_fired"]["link"].endswith("/output/log")
    assert second["lag_seconds"] < 60
    shown = run("show", "retry").out
    assert "task: status failed" in shown
    assert "once per object" in shown
    assert run("show", "retyr").out.endswith("it has: paused one, retry")
    assert run("show", "retyr").code == 2


@pytest.mark.parametrize("width", [80, 120])
def test_tables_fit_the_terminal(world: World, width: int) -> None:
    world.declare(world.trigger(name="a trigger with quite a long name that goes on and on"))
    world.fail_task(name="a task with quite a long name that goes on and on")
    world.step()
    for verb in (["list"], ["show", "a trigger with quite a long name that goes on and on"], ["history"], ["status"]):
        out = run(*verb, width=width).out
        assert out.strip(), verb
        long = [line for line in out.splitlines() if len(line) > width]
        assert long == [], verb


def test_history_filters_and_gives_reasons_and_links(world: World) -> None:
    retry = world.trigger(name="retry", policy={"single_instance": True})
    other = world.trigger(name="other", action={"queue": "nowhere"})
    world.declare(retry, other)
    first = world.fail_task()
    world.step()
    second = world.fail_task()
    world.step()
    entries = run("history", "--json").json
    assert {entry["what"] for entry in entries} == {"granted", "launched", "skipped", "failed"}
    (skipped,) = run("history", "retry", "--what", "skipped", "--json").json
    assert skipped["object"] == second
    assert "single instance" in skipped["reason"]
    (launched,) = run("history", "--object", first, "--what", "launched", "--json").json
    assert launched["task"] in launched["task_link"]
    assert run("history", "--since", "2030-01-01", "--json").json == []
    assert len(run("history", "-n", "2", "--json").json) == 2
    assert run("history", "--since", "lately").code == 2


def test_explain_says_why_for_every_object(world: World) -> None:
    world.declare(world.trigger(name="retry", trigger_on_tags=["gold"], trigger_on_status=["failed"]))
    world.step()
    fired, plain = world.fail_task(tags=["gold"]), world.fail_task(name="no tag")
    world.step()
    unread = world.fail_task(tags=["gold"])
    answers = {}
    for name, id_ in {"fired": fired, "plain": plain, "unread": unread, "nobody": "f" * 32}.items():
        result = run("explain", "retry", id_, "--json")
        answers[name] = (result.code, result.json["answer"], result.json["because"])
    assert answers["fired"][:2] == (0, "fired")
    assert answers["unread"][:2] == (0, "will fire")
    assert answers["plain"] == (1, "does not fire", "trigger_on_tags: wanted all of the tags gold, found no tags")
    assert answers["nobody"][:2] == (1, "no such object")
    assert explain("retry", plain).because == answers["plain"][2]
    assert "✗ no tags" in run("explain", "retry", plain).out
    assert run("explain", "retry", fired[:10], "--json").json["answer"] == "fired", "by the beginning of an id"


def test_explain_before_registration_and_of_another_kind(world: World) -> None:
    early = world.fail_task()
    trigger = world.trigger(name="retry")
    now_ms = world.ledger.now_ms() + 60_000
    world.ledger.registry.declare([trigger], origin="script", server_now_ms=now_ms)
    explained = run("explain", "retry", early, "--json").json
    assert "before the trigger was registered" in explained["because"]
    world.ledger.registry.declare([world.trigger("model", name="deploy")], origin="script", server_now_ms=0)
    assert "wanted a model, found a task" in run("explain", "deploy", early, "--json").json["because"]


def test_test_shows_what_would_fire_and_fires_nothing(world: World) -> None:
    world.declare(world.trigger(name="retry"))
    world.step()
    fired = world.fail_task()
    world.step()
    would = world.fail_task()
    told = run("test", "retry", "--since", "1h", "--json").json
    assert {one["object"]: one["would_fire"] for one in told["found"]} == {fired: False, would: True}
    assert len(world.clones()) == 1
    assert "1 would fire" in run("test", "retry").out


def test_status_tells_of_a_stage_that_gets_nowhere(world: World) -> None:
    world.declare(world.trigger(name="retry"))
    never = run("status", "--json")
    assert (never.code, never.json["stages"][0]["words"]) == (1, "no poll so far")
    world.step()
    well = run("status", "--json")
    assert (well.code, well.json["is_well"], well.json["triggers"]) == (0, True, 1)
    world.fail_task()
    world.poll()
    ready = world.ledger.keys.ready
    for partition in world.ledger.store.client.zrange(ready, 0, -1):
        world.ledger.store.client.zadd(ready, {partition: world.ledger.now_ms() - 60_000})
    late = run("status", "--json").json["stages"][1]
    assert (late["name"], late["state"]) == ("match", "late")
    assert late["waiting"] >= 1


def test_doctor_finds_what_is_missing_and_says_what_to_do(world: World) -> None:
    world.declare(world.trigger(name="retry", action={"queue": "nowhere"}))
    result = run("doctor", "--json")
    found = {(one["about"], one["level"]): one for one in result.json}
    assert result.code == 1
    assert found["Redis persistence", "ok"]
    assert found["Redis eviction", "ok"]
    assert "'nowhere' is not on the server" in found["names", "bad"]["words"]
    assert "clearml-triggers up" in found["match workers", "bad"]["to_do"]
    assert found["strays", "ok"]
    assert all(one["to_do"] for one in result.json if one["level"] == "bad")


def test_doctor_lists_strays_and_deletes_nothing(world: World) -> None:
    world.declare(world.trigger(name="retry"))
    world.fail_task()
    world.step()
    (launched,) = world.clones()
    copy = world.call("tasks.clone", task=launched["id"])["id"]
    (strays,) = [one for one in run("doctor", "--json").json if one["about"] == "strays"]
    assert copy in strays["words"]
    assert len(world.clones()) == 2


def test_several_schedulers_have_to_be_told_apart(world: World) -> None:
    from triggers.ledger.deployment import schedulers
    from triggers.ledger.deployment.schedulers import Scheduler

    other = Scheduler(world.sandbox.url, "workspace", "Team", "Other", poll_seconds=5.0)
    schedulers.put(world.ledger.store.client, other)
    refused = run("list")
    assert refused.code == 2
    assert "choose one with --scheduler" in refused.out
    assert "Team/Other" in refused.out
    assert run("list", "--scheduler", "Team/Other", "--json").json == []
    assert run("list", "-s", other.id, "--json").json == []
    assert "not found in the Redis" in run("list", "-s", "Nobody").out
