"""What the service task shows: tables, plots and console lines, by few requests."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from tests.integration.service.conftest import ServiceWorld
from triggers.operate import sending
from triggers.stages.act import act
from triggers.sync import publish


@pytest.fixture
def eager(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publish, "LOOK_SECONDS", 0.0)


def test_tables_have_the_originals_columns_and_links(service_world: ServiceWorld, eager: None) -> None:
    world = service_world
    world.declare(world.trigger(), world.trigger("model", "models", trigger_on_tags=["prod"]))
    failed = world.fail_task()
    world.step()
    world.sync()
    plot = world.plots("Model Triggers")[-1]["data"][0]
    assert plot["header"]["values"] == [
        "name", "base_task_id", "base_function", "queue", "target_project", "single_instance", "task_parameters",
        "task_overrides", "clone_task", "project", "match_name", "tags", "required_tags", "add_tag", "last_update",
        "on_publish", "on_archive",
        "query", "any_tags", "exclude_tags", "user", "actions", "on_failed", "on_resolved",
        "fire", "overlap", "max_per_minute",
        "state", "dead", "held", "owner",
    ]  # fmt: skip
    (row,) = world.table("Task Triggers")
    assert row[0] == "on failure"
    assert row[1] == f'<a href="http://web/projects/*/tasks/{world.base}/output/log">{world.base}</a>'
    (launched,) = world.clones()
    (row,) = world.table("Triggers Executed")
    link = f'<a href="http://web/projects/*/tasks/{launched["id"]}/output/log">{launched["id"]}</a>'
    assert row[:3] == ["TaskTrigger", "on failure", link]
    assert row[4] == "None"
    assert f"Scheduling Job on failure, Task {launched['id']} on queue default." in world.console()
    world.call("tasks.started", task=launched["id"])
    world.call("tasks.completed", task=launched["id"])
    world.sync()
    (row,) = world.table("Triggers Executed")
    assert row[4].startswith("20")
    assert failed not in row[2]
    assert row[5] == f'<a href="http://web/projects/*/tasks/{failed}/output/log">some task ({failed})</a>'
    for title in ("Firings over time", "Seconds from change to launch"):
        assert world.plots(title)[-1]["data"][0]["name"] == "task:on failure"


def test_the_table_shows_each_action_of_a_firing_and_no_trial(service_world: ServiceWorld, eager: None) -> None:
    world = service_world
    world.declare(world.trigger(actions=[{"type": "tag", "add": ["seen"]}, {"type": "comment", "text": "seen"}]))
    failed = world.fail_task()
    world.step()
    world.settle()
    entry = world.ledger.registry.snapshot().entries["task:on failure"]
    sending.send(SimpleNamespace(ledger=world.ledger, api=world.api), entry, failed, "1")  # type: ignore[arg-type]
    act(world.ctx)
    world.sync()
    rows = world.table("Triggers Executed")
    (launched,) = world.clones()
    assert len(rows) == 3
    shown = {row[2] for row in rows if launched["id"] not in row[2]}
    assert shown == {"action 1 (tag)", "action 2 (comment)"}
    assert {(row[0], row[1], row[5]) for row in rows} == {("TaskTrigger", "on failure", rows[0][5])}
    assert failed in rows[0][5]
    assert len(world.plots("Firings over time")[-1]["data"][0]["x"]) == 1, "launches alone are plotted"


@pytest.mark.sandbox_control
def test_requests_do_not_grow_with_open_launches(service_world: ServiceWorld, eager: None) -> None:
    world = service_world
    world.declare(world.trigger())
    world.sync()
    counts = []
    for number in (120, 240):  # each more than a poll reads of a server that is not busy
        for _ in range(number):
            world.fail_task()
        world.step()
        before = sum(world.sandbox.control.counts().values())
        world.sync()
        world.sync()
        counts.append(sum(world.sandbox.control.counts().values()) - before)
    assert counts[0] == counts[1] <= 8
    assert len(world.table("Triggers Executed")) == 100
    assert sum("Scheduling Job" in line for line in world.console()) == 360


def test_nothing_is_sent_when_nothing_has_changed(service_world: ServiceWorld) -> None:
    world = service_world
    world.declare(world.trigger())
    world.fail_task()
    world.step()
    world.sync()
    plots, lines = len(world.plots("Task Triggers")), len(world.console())
    for _ in range(3):
        assert world.sync().reports == 0
    assert (len(world.plots("Task Triggers")), len(world.console())) == (plots, lines)


def test_skips_and_dead_letters_are_reported(service_world: ServiceWorld) -> None:
    world = service_world
    world.declare(
        world.trigger(policy={"single_instance": True}),
        world.trigger(name="gone", action={"base_task_id": "0" * 32}),
    )
    world.fail_task()
    world.step()
    world.fail_task()
    world.step()
    world.sync()
    running = next(iter(world.clones()))["id"]
    assert f"Skipping Task on failure scheduling, previous Task instance {running} still running" in world.console()
    assert any("Skipping Task gone scheduling for good" in line for line in world.console())


def shown(world: ServiceWorld, name: str) -> dict[str, str]:
    """A row of the table of task triggers, by its columns."""
    columns = world.plots("Task Triggers")[-1]["data"][0]["header"]["values"]
    (row,) = [row for row in world.table("Task Triggers") if row[0] == name]
    return dict(zip(columns, row, strict=True))


def test_the_table_shows_what_the_original_has_not_and_how_each_trigger_stands(service_world: ServiceWorld) -> None:
    world = service_world
    busy = world.trigger(
        trigger_on_status=["failed"], trigger_on_any_tags=["a", "b"], trigger_exclude_tags=["c"], owner="@ann",
        policy={"single_instance": True, "overlap": "queue"},
        action={"query": {"project": "P", "tags": ["prod"]}},
    )  # fmt: skip
    world.declare(busy, world.trigger(name="lost", action={"queue": "nowhere"}))
    world.sync()
    row = shown(world, "on failure")
    assert row["query"] == "project: P; tags: prod"
    assert (row["any_tags"], row["exclude_tags"]) == ("a, b", "c")
    assert (row["overlap"], row["owner"], row["state"], row["held"], row["dead"]) == ("queue", "@ann", "new", "0", "0")
    world.pause(busy)
    world.fail_task(tags=["a"])
    world.step()
    world.sync()
    row = shown(world, "on failure")
    assert (row["state"], row["held"]) == ("paused", "1")
    assert shown(world, "lost")["state"] == "failing (1 of 10)"
    (key,) = [one.key for one in world.ledger.retrying.failing()]
    world.expire_leases()
    (firing,) = world.ledger.firings.claim("dispatch", 5, 60).firings
    assert firing.key == key
    world.ledger.firings.give_up(firing, "dispatch", "no such queue")
    world.sync()
    assert (shown(world, "lost")["state"], shown(world, "lost")["dead"]) == ("active", "1")
    assert world.sync().reports == 0, "nothing has changed"
