"""What cannot be read is shown where people look, with what to do."""

from __future__ import annotations

from pathlib import Path

from tests.integration.cli_verbs.conftest import run
from tests.integration.stages.conftest import World
from triggers.configuration.writing import dump
from triggers.ledger.keys import shared
from triggers.stages.match import match


def test_a_trigger_that_cannot_be_read_is_listed_and_named_by_doctor(world: World) -> None:
    world.declare(world.trigger(name="whole"), world.trigger(name="broken"))
    client, keys = world.ledger.store.client, world.ledger.keys
    client.hset(keys.registry, "task:broken", "garbage")
    client.incr(keys.registry_version)
    world.step()
    world.reconcile()
    listed = run("list", width=200)
    assert "trigger 'task:broken' is quarantined: the entry of trigger 'task:broken' cannot be read" in listed.out
    assert {(one["name"], one["state"]) for one in run("list", "--json").json} == {
        ("whole", "active"),
        ("broken", "unreadable"),
    }
    shown = run("show", "broken")
    assert shown.code == 2
    assert "is quarantined" in shown.out
    found = [one for one in run("doctor", "--json").json if one["about"] == "alarm"]
    assert [one["level"] for one in found] == ["bad"]
    assert "declare the trigger again" in found[0]["words"]


def test_applying_a_file_repairs_a_trigger_and_its_changes_count_from_its_quarantine_on(
    world: World, tmp_path: Path
) -> None:
    trigger = world.trigger(name="broken")
    world.declare(trigger, world.trigger(name="whole", trigger_on_tags=["x"]))
    world.poll()
    client, keys = world.ledger.store.client, world.ledger.keys
    client.hset(keys.registry, trigger.id, '{"paused": true}')
    client.incr(keys.registry_version)
    failed = world.fail_task()
    world.step()
    file = tmp_path / "triggers.yaml"
    file.write_text(dump([trigger]))
    assert run("apply", "-f", str(file)).code == 0
    assert world.ledger.registry.snapshot().entries[trigger.id].paused, "what could be seen of it is kept"
    world.pause(trigger, False)
    world.step()
    assert [entry.object for entry in world.history("launched")] == [failed]


def test_a_dead_letter_that_cannot_be_read_is_listed_with_its_reason(world: World) -> None:
    world.declare(world.trigger(name="whole"))
    world.fail_task()
    world.poll()
    world.hints.dispatches = 0
    for partition in range(world.settings.partitions):
        world.hints.partitions.append(partition)
    client, keys = world.ledger.store.client, world.ledger.keys
    while world.hints.partitions:
        match(world.ctx, world.hints.partitions.pop())
    (key,) = client.zrange(keys.due("dispatch"), 0, -1)
    client.hdel(keys.firing(key), "trigger", "object")
    world.settle()
    assert client.zrange(keys.dead, 0, -1) == [key]
    listed = run("dead", "list", "--json")
    assert listed.code == 0
    assert "cannot be read" in listed.out


def test_a_scheduler_record_of_a_later_release_is_named(world: World) -> None:
    world.ledger.store.client.delete(shared("schedulers"))
    world.ledger.store.client.hset(shared("schedulers"), "abc", '{"v": 2}')
    assert "run the release that wrote it" in run("list").out
