"""A scheduler that moves to another Redis keeps what people decided, and counts nothing that was launched before."""

from __future__ import annotations

import json

import pytest

from tests.integration.service.test_inheritance import HomeWorld, home_world
from triggers.configuration import difference
from triggers.ledger.deployment.schedulers import Scheduler
from triggers.model import Trigger
from triggers.operate import changes
from triggers.operate.target import Target
from triggers.sync import renewal
from triggers.sync.saved_edits import Kept

__all__ = ["home_world"]


def target(world: HomeWorld) -> Target:
    scheduler: Scheduler = world.scheduler
    return Target(scheduler, world.ledger, world.settings, running=True, where="here")


def move(world: HomeWorld, *declared: Trigger) -> None:
    """Save, lose everything that Redis holds, and start again."""
    renewal.give_back(world.ctx, world.scheduler)
    world.ledger.store.client.flushall()
    world.hints.partitions.clear()
    world.come_home(*declared)


def settled(world: HomeWorld) -> list[str]:
    """The objects that are launched for, once everything that is due was done."""
    world.step()
    world.expire_leases()
    world.hints.dispatches = 1
    world.settle()
    world.reconcile()
    return sorted(entry.object for entry in world.history("launched") if entry.reason != "found by its key")


def test_dropped_holds_stay_dropped_and_what_is_held_is_not_lost(home_world: HomeWorld) -> None:
    world = home_world
    trigger = world.trigger()
    world.come_home(trigger)
    world.pause(trigger)
    dropped, waiting = world.fail_task(name="dropped"), world.fail_task(name="waits")
    world.step()
    hold = f"pause:{trigger.id}"
    held = {firing.object: firing.key for firing in world.ledger.operations.held(hold)}
    assert world.ledger.operations.drop_held(hold, [held[dropped]], "tester") == 1
    move(world, trigger)
    assert world.ledger.registry.snapshot().entries[trigger.id].paused
    world.step()
    assert [firing.object for firing in world.ledger.operations.held(hold)] == [waiting]
    world.pause(trigger, False)
    assert settled(world) == [waiting]


def test_what_was_skipped_is_not_launched_and_its_next_change_is(home_world: HomeWorld) -> None:
    world = home_world
    trigger = world.trigger()
    world.come_home(trigger)
    world.pause(trigger)
    skipped = world.fail_task()
    world.step()
    world.ledger.by_hand.skip_waiting(trigger.id, "missed during a pause")
    world.pause(trigger, False)
    move(world, trigger)
    assert settled(world) == []
    world.tick()
    world.call("tasks.edit", task=skipped, tags=["changed again"], force=True)
    assert settled(world) == [skipped]


def test_resume_skip_missed_holds_for_what_was_not_read_yet(home_world: HomeWorld) -> None:
    world = home_world
    trigger = world.trigger()
    world.come_home(trigger)
    world.pause(trigger)
    world.fail_task(name="missed")
    world.tick()
    entry = world.ledger.registry.snapshot().entries[trigger.id]
    changes.resume(target(world), [entry], skip_missed=True)
    move(world, trigger)
    assert settled(world) == []
    world.tick()
    later = world.fail_task()
    assert settled(world) == [later]


def test_triggers_that_apply_added_or_edited_come_along(home_world: HomeWorld) -> None:
    world = home_world
    script, added = world.trigger(), world.trigger(name="added", trigger_on_tags=["gold"])
    edited = world.trigger(trigger_on_status=["failed"], trigger_on_tags=["silver"])
    world.come_home(script)
    difference.apply(target(world), [added, edited], prune=False, source="more.yaml")
    world.sync()
    read = world.fail_task(tags=["gold"])
    world.poll()  # read, and lost with Redis
    move(world, script)
    entries = world.ledger.registry.snapshot().entries
    assert (entries[added.id].source, entries[added.id].paused) == ("more.yaml", False)
    assert entries[script.id].trigger == edited, "the edit holds until the script declares something else"
    assert settled(world) == [read]
    world.sync()
    assert {entry["name"] for entry in world.section("task")} == {script.name, "added"}


def test_a_trigger_removed_in_clearml_stays_removed(home_world: HomeWorld) -> None:
    world = home_world
    one, other = world.trigger(), world.trigger(name="other")
    world.come_home(one, other)
    world.sync()
    world.edit_section("task", [item for item in world.section("task") if item["name"] != "other"])
    world.sync()
    assert world.names() == {one.id}
    move(world, one, other)
    assert world.names() == {one.id}


def test_a_function_comes_along_only_where_a_script_declares_it(caplog: pytest.LogCaptureFixture) -> None:
    from triggers.ledger.registry.registry import Entry, Snapshot
    from triggers.model import make_trigger

    action = {"type": "function", "name": "os.system", "reference": "os:system"}
    trigger = make_trigger("task", name="calls", trigger_on_tags=["x"], action=action)
    kept = Kept.from_json(Kept.of(Snapshot(3, {trigger.id: Entry(trigger, 5, 1, "command")}), 0).to_json())
    assert kept.restored([], 9) == {}
    assert "calls a function that no script declares" in caplog.text
    assert kept.restored([trigger], 9)[trigger.id].since_ms == 9


def test_a_property_that_makes_no_sense_is_left_out(caplog: pytest.LogCaptureFixture) -> None:
    for text in ("", None, "[]", "{", '{"v": 1, "version": "x", "known": {}, "entries": {}}', json.dumps({"v": 1})):
        assert Kept.from_json(text) == Kept()


@pytest.fixture
def launched(home_world: HomeWorld) -> HomeWorld:
    """A scheduler that has launched three times, moved to an empty Redis, where it may launch once a minute."""
    world = home_world
    trigger = world.trigger(policy={"max_per_minute": 1000})
    world.come_home(trigger)
    for _ in range(3):
        world.fail_task()
    world.step()
    assert sum(world.runs().values()) == 3
    world.sync()
    move(world, world.trigger(policy={"max_per_minute": 1}))
    return world


def test_what_is_found_launched_counts_for_nothing(launched: HomeWorld) -> None:
    world = launched
    lines = len([line for line in world.console() if "Scheduling Job" in line])
    assert settled(world) == []
    found = [entry for entry in world.history("launched") if entry.reason == "found by its key"]
    assert len(found) == 3
    assert world.history("held") == []
    assert world.ledger.firings.pace_room("task:on failure", 1) == 1
    assert world.ledger.history.alarms() == {}
    world.sync()
    assert len([line for line in world.console() if "Scheduling Job" in line]) == lines
    assert sum(sum(bar["y"]) for plot in world.plots("Firings over time")[-1:] for bar in plot["data"]) in (0, 3)
    assert [tally.what for tally in world.ledger.history.recent(0) if tally.what == "launched"] == []
    fresh = world.fail_task()
    assert settled(world) == [fresh], "the pace is free for it"
