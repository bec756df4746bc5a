"""Verbs that change: each does what it says, atomically, and leaves a line in the audit log."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.integration.cli_verbs.conftest import run
from tests.integration.stages.conftest import World
from triggers.base.errors import Usage
from triggers.ledger.history.audit import BEGUN, FAILED


def audited(what: str) -> list[dict[str, Any]]:
    return [line for line in run("audit", "--json").json if line["what"] == what]


def test_pause_holds_and_resume_catches_up(world: World) -> None:
    world.declare(world.trigger(name="retry"), world.trigger(name="other", trigger_on_tags=["x"]))
    assert run("pause", "--all").out.strip() == "paused: other, retry"
    assert run("pause", "retry").out.strip() == "already paused; nothing to do"
    world.fail_task()
    world.step()
    assert world.clones() == []
    counts = {"released": 1, "skipped": 0, "minutes": 0}
    assert run("resume", "--all", "--json").json == {"resumed": ["other", "retry"], **counts}
    world.reconcile()
    assert len(world.clones()) == 1
    assert (audited("pause")[0]["who"], audited("pause")[0]["outcome"]) == ("tester", "done")
    assert run("pause").code == run("pause", "retry", "--all").code == 2


def test_resume_skip_missed_leaves_out_what_was_held_and_what_was_not_read(world: World) -> None:
    world.declare(world.trigger(name="retry"))
    run("pause", "retry")
    held = world.fail_task()
    world.step()
    world.fail_task(name="changed, and not read while paused")
    assert run("resume", "retry", "--skip-missed", "--json").json["skipped"] == 1
    world.step()
    world.reconcile()
    assert world.clones() == []
    world.call("tasks.update_tags", ids=[held], add_tags=["again"])
    world.step()
    assert len(world.clones()) == 1, "its next change is considered again"


def test_fire_launches_once_per_call_whatever_the_condition_says(world: World) -> None:
    world.declare(world.trigger(name="retry"))
    world.step()
    task = world.create_task("not failed")
    told = run("fire", "retry", task, "--json").json
    assert told["condition_holds"] is False
    run("fire", "retry", task)
    world.reconcile()
    assert sorted(world.runs().values()) == [1, 1]
    assert audited("fire")[0]["firing"] == told["firing"]
    assert "is not on the server" in run("fire", "retry", "f" * 32).out
    world.call("tasks.started", task=task)
    world.call("tasks.failed", task=task)
    world.step()
    assert len(world.clones()) == 2, "once per object, also when by hand"


def test_replay_grants_what_registration_came_too_late_for(world: World) -> None:
    early = world.fail_task()
    trigger = world.trigger(name="retry")
    world.ledger.registry.declare([trigger], origin="script", server_now_ms=world.ledger.now_ms() + 5000)
    world.step()
    assert run("replay", "retry", "--from", "1h", "--dry-run", "--json").json["granted"] == []
    assert audited("replay") == []
    assert len(run("replay", "retry", "--from", "1h", "--json").json["granted"]) == 1
    world.reconcile()
    assert list(world.runs().values()) == [1]
    assert run("replay", "retry", "--from", "1h", "--json").json["granted"] == [], "once per object"
    assert run("explain", "retry", early, "--json").json["answer"] == "fired"
    assert run("replay", "retry").code == 2
    assert run("replay", "retry", "--from", "1h", "--to", "2h").code == 2


def test_dead_letters_are_retried_and_dropped(world: World) -> None:
    world.ctx = world.context(max_attempts=1)
    world.declare(world.trigger(name="retry", action={"queue": "later"}))
    first, second = world.fail_task(), world.fail_task()
    world.step()
    letters = run("dead", "list", "--json").json
    assert {letter["object"] for letter in letters} == {first, second}
    assert run("dead", "drop", first, "--json").json == {"dropped": 1}
    world.call("queues.create", name="later")
    assert run("dead", "retry", letters[0]["firing"][-10:] if letters[0]["object"] == second else second).code == 0
    world.reconcile()
    assert list(world.runs().values()) == [1]
    assert run("dead", "list", "--json").json == []
    assert run("dead", "retry").code == 2
    assert "is neither the end" in run("dead", "retry", "nonsense").out
    assert (len(audited("dead drop")), len(audited("dead retry"))) == (1, 1)


def test_holds_are_released_past_the_pace_and_dropped(world: World) -> None:
    world.declare(world.trigger(name="retry", policy={"max_per_minute": 1}))
    for _ in range(4):
        world.fail_task()
    world.step()
    (hold,) = run("holds", "list", "--json").json
    assert (hold["hold"], hold["count"]) == ("pace:task:retry", 3)
    firings = run("holds", "list", hold["hold"], "--json").json
    assert run("holds", "release", hold["hold"], firings[0]["firing"][-10:], "--json").json == {"released": 1}
    world.reconcile()
    assert len(world.clones()) == 2
    assert run("holds", "drop", hold["hold"], "--json").json == {"dropped": 2}
    assert run("holds", "list", "--json").json == []
    run("pause", "retry")
    world.fail_task()
    world.step()
    assert "is paused, so they would wait again" in run("holds", "release", "pause:task:retry").out


def test_a_slot_is_not_released_while_its_task_runs(world: World) -> None:
    world.declare(world.trigger(name="retry", policy={"single_instance": True}))
    world.fail_task()
    world.step()
    (slot,) = run("slots", "list", "--json").json
    assert (slot["slot"], slot["status"]) == ("task:retry", "queued")
    refused = run("slots", "release", "task:retry")
    assert (refused.code, "two would run at once" not in refused.out) == (1, True)
    assert "--force" in refused.out
    assert run("slots", "release", "task:retry", "--force").code == 0
    assert run("slots", "list", "--json").json == []
    assert run("slots", "release", "task:retry").code == 2


def test_the_cursor_goes_back_and_never_forward(world: World) -> None:
    world.declare(world.trigger(name="retry"))
    world.step()
    before = world.ledger.reading.cursor("tasks").read_to_ms
    world.fail_task()
    world.step()
    assert run("cursor", "set", "2030-01-01").code == 2
    back = run("cursor", "set", "1h", "--json").json
    assert back["set"] == ["tasks"]
    assert world.ledger.reading.cursor("tasks").read_to_ms < before - 3_000_000
    world.step()
    assert len(world.clones()) == 1, "read again, and not fired again"
    assert run("cursor", "show", "--json").json[0]["source"] == "tasks"


def test_the_cursor_waits_for_a_poll_under_way(world: World) -> None:
    world.declare(world.trigger(name="retry"))
    world.step()
    with world.ledger.reading.poll(pace_seconds=1, lease_seconds=5, force=True):
        assert world.ledger.by_hand.set_cursor("tasks", 1) == 0
    assert world.ledger.by_hand.set_cursor("tasks", 1) == 1
    assert world.ledger.by_hand.set_cursor("models", 1) == -1


def test_delete_is_refused_for_what_a_script_declares(world: World, tmp_path: Any) -> None:
    world.declare(world.trigger(name="retry"))
    refused = run("delete", "retry")
    assert refused.code == 2
    assert "remove it from the script" in refused.out
    file = tmp_path / "t.yaml"
    file.write_text(f"triggers:\n- {{kind: task, name: mine, schedule_task_id: {world.base}, schedule_queue: default}}")
    run("apply", "-f", str(file))
    assert run("delete", "mine").out.strip() == "deleted: mine"
    assert [one["name"] for one in run("list", "--json").json] == ["retry"]


def test_apply_takes_no_secret_in_clear_by_an_edit(world: World, tmp_path: Any) -> None:
    file = tmp_path / "triggers.yaml"
    line = "triggers:\n- {kind: task, name: a, trigger_on_status: [failed], actions: [{type: webhook, url: '%s'}]}\n"
    file.write_text(line % "https://hooks.example.com/in")
    assert run("apply", "-f", str(file)).code == 0
    file.write_text(line % "https://hooks.example.com/T0KENxT0KENx")
    for verb in ("apply", "diff", "test"):
        refused = run(verb, "-f", str(file))
        assert (refused.code, "env:NAME" in refused.out, "T0KEN" in refused.out) == (2, True, False)


def test_apply_is_idempotent_and_removes_with_prune_only(world: World, tmp_path: Any) -> None:
    world.declare(world.trigger(name="retry"))
    file = tmp_path / "triggers.yaml"
    item = f"schedule_task_id: {world.base}, schedule_queue: default, trigger_on_status: [failed]"
    file.write_text(f"triggers:\n- {{kind: task, name: a, {item}}}\n- {{kind: task, name: b, {item}}}\n")
    assert run("diff", "-f", str(file)).code == 1
    changes = run("apply", "-f", str(file), "--json").json["changes"]
    assert [(c["what"], c["name"]) for c in changes] == [("add", "a"), ("add", "b"), ("keep", "retry")]
    version = world.ledger.registry.version()
    again = run("apply", "-f", str(file))
    assert (again.code, "2 unchanged, 1 not in the file" in again.out) == (0, True)
    assert (run("diff", "-f", str(file)).code, world.ledger.registry.version()) == (0, version)
    run("pause", "a")
    file.write_text(f"triggers:\n- {{kind: task, name: a, {item}, max_per_minute: 7}}\n")
    assert "max_per_minute: 7" in run("apply", "-f", str(file)).out
    entry = world.ledger.registry.snapshot().entries["task:a"]
    assert (entry.paused, entry.trigger.policy.max_per_minute, entry.origin) == (True, 7, "command")
    assert "task:b" in {e.trigger.id for e in world.ledger.registry.snapshot().active}
    assert "1 removed" in run("apply", "-f", str(file), "--prune").out
    assert {e.trigger.name for e in world.ledger.registry.snapshot().active} == {"a", "retry"}
    assert len(audited("apply")) == 3


def test_what_is_exported_applies_without_a_change(world: World) -> None:
    world.declare(world.trigger(name="retry", policy={"fire": "while_true", "cooldown_minutes": 5.0}))
    text = run("export").out
    assert run("diff", "-f", "-", stdin=text).code == 0
    assert json.loads(run("export", "--schema").out)["title"]


def test_what_apply_edits_outlives_a_script_that_declares_the_same(world: World, tmp_path: Any) -> None:
    trigger = world.trigger(name="retry")
    world.declare(trigger)
    file = tmp_path / "t.yaml"
    text = run("export").out.replace("schedule_queue: default", "schedule_queue: other")
    file.write_text(text)
    assert "a script declares it too" in run("apply", "-f", str(file)).out
    world.declare(trigger)
    assert world.ledger.registry.snapshot().entries[trigger.id].trigger.action.queue == "other"  # type: ignore[union-attr]


def test_a_change_that_is_killed_in_the_middle_is_in_the_audit_log(world: World) -> None:
    audit = world.ledger.audit
    with pytest.raises(KeyboardInterrupt), audit.change("pause", triggers=["a"]):
        raise KeyboardInterrupt
    with pytest.raises(Usage), audit.change("resume"):
        raise Usage("no")
    newest, before = audit.read()
    assert (newest.outcome, newest.detail["error"]) == (FAILED, "no")
    assert (before.outcome, before.what, before.who) == (BEGUN, "pause", "tester")


def test_verbs_name_the_file_that_a_trigger_is_from(world: World, tmp_path: Any) -> None:
    retry = world.trigger(name="retry")
    world.ledger.registry.declare([retry], origin="script", server_now_ms=0, sources={retry.id: "train.py"})
    action = f"schedule_task_id: {world.base}, schedule_queue: default"
    file = tmp_path / "more.yaml"
    file.write_text(f"triggers:\n- {{kind: task, name: gold, trigger_on_tags: [gold], {action}}}\n")
    assert "train.py declares it" in run("apply", "-f", str(file)).out
    assert run("list", "--json").json[0]["source"] == "more.yaml"
    assert "`apply` of more.yaml" in run("show", "gold", width=200).out
    assert "by train.py" in run("show", "retry").out
    assert "declared by train.py" in run("delete", "retry").out
    assert audited("apply")[0]["file"] == "more.yaml"
    file.write_text(f"triggers:\n- {{kind: task, name: retry, trigger_on_tags: [gold], {action}}}\n")
    run("apply", "-f", str(file))
    assert "`apply` of more.yaml (declared in train.py too)" in run("show", "retry", width=200).out


def test_options_of_up_that_would_be_ignored_are_refused(world: World, tmp_path: Any) -> None:
    assert run("up", "-f", "x.yaml", "-s", "DevOps/Scheduler").code == 2
    assert run("up", "--project", "DevOps").code == 2
