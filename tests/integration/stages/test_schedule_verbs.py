"""`next` and `backfill`: the coming times, and those of the past, each launched once."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from tests.integration.stages.conftest import World
from tests.integration.stages.test_schedules import (  # noqa: F401 - fixtures
    HOUR,
    NOW,
    Wall,
    launched,
    schedule,
    tick,
    wall,
)
from triggers.base.errors import Usage
from triggers.operate import granting, past_times, timetables


def target_of(world: World) -> Any:
    return SimpleNamespace(ledger=world.ledger, api=world.api, settings=world.settings)


def test_coming_times_of_all_schedules_by_time(world: World, wall: Wall) -> None:  # noqa: F811
    paused = schedule(world, "paused", hour=1)
    world.declare(
        schedule(world, "a", cron="0 9 * * *", timezone="Europe/Berlin"), schedule(world, "b", hour=6), paused
    )
    world.pause(paused)
    entries = world.ledger.registry.snapshot().active
    found = timetables.coming(entries, NOW, NOW + 24 * HOUR, 10)
    assert [(one.entry.trigger.name, one.event.at) for one in found] == [
        ("b", "2026-11-27T14:00:00+00:00"), ("b", "2026-11-27T20:00:00+00:00"), ("b", "2026-11-28T02:00:00+00:00"),
        ("a", "2026-11-28T09:00:00+01:00"), ("b", "2026-11-28T08:00:00+00:00"),
    ]  # fmt: skip


def test_past_times_run_once_and_those_that_ran_do_not(world: World, wall: Wall, tick: Any) -> None:  # noqa: F811
    world.declare(schedule(world, cron="0 * * * *"))
    wall.at("2026-11-27T09:00:01")
    tick()
    entry = world.ledger.registry.snapshot().entries["schedule:s"]
    target = target_of(world)
    found = past_times.find(target, entry, NOW - 3 * HOUR, wall.ms)
    assert [(one.event.id[11:16], one.fires) for one in found] == [
        ("06:00", True), ("07:00", True), ("08:00", True), ("09:00", False),
    ]  # fmt: skip
    assert len(granting.replay(target, found)) == 3
    world.reconcile()
    assert [time[11:16] for time in launched(world)] == ["06:00", "07:00", "08:00", "09:00"]
    assert not any(one.fires for one in past_times.find(target, entry, NOW - 3 * HOUR, wall.ms))


def test_what_is_no_schedule_or_not_past_is_refused(world: World, wall: Wall) -> None:  # noqa: F811
    world.declare(schedule(world, cron="* * * * * *"), world.trigger())
    entries, target = world.ledger.registry.snapshot().entries, target_of(world)
    for id_, from_ms, to_ms, what in (
        ("task:on failure", NOW - 1000, NOW, "replay"),
        ("schedule:s", NOW, NOW - 1000, "--from first"),
        ("schedule:s", NOW, NOW + HOUR, "is in the future"),
        ("schedule:s", NOW - 24 * HOUR, NOW, "closer together"),
    ):
        with pytest.raises(Usage, match=what):
            past_times.find(target, entries[id_], from_ms, to_ms)


def nightly(world: World, wall: Wall, tick: Any, days: int, **fields: Any) -> None:  # noqa: F811
    """A schedule that has run on so many days, long ago: its marks and its firings are forgotten."""
    world.declare(schedule(world, cron="0 9 * * *", **fields))
    for day in range(days):
        wall.ms = NOW + HOUR + day * 24 * HOUR
        tick()
    wall.ms += 30 * 24 * HOUR
    tick()  # the last that was missed
    client = world.ledger.store.client
    for key in client.scan_iter(world.ledger.keys.firing("*")):
        client.delete(key)


def test_times_that_ran_long_ago_do_not_run_again(world: World, wall: Wall, tick: Any) -> None:  # noqa: F811
    nightly(world, wall, tick, days=3)
    assert world.ledger.store.client.hlen(world.ledger.keys.marks("schedule:s")) == 1
    entry, ran = world.ledger.registry.snapshot().entries["schedule:s"], dict(world.runs())
    found = past_times.find(target_of(world), entry, NOW, NOW + 4 * 24 * HOUR)
    assert [(one.event.id[8:10], one.fires) for one in found] == [
        ("27", False), ("28", False), ("29", False), ("30", True),
    ]  # fmt: skip
    granting.replay(target_of(world), found)
    world.reconcile()
    assert len(world.runs()) == len(ran) + 1
    assert set(world.runs().values()) == {1}


def test_what_leaves_no_launch_is_not_guessed_to_have_run(world: World, wall: Wall, tick: Any) -> None:  # noqa: F811
    """Of a reused task, or of a function, nothing is left once its mark is forgotten."""
    nightly(world, wall, tick, days=1, action={"reuse_task": True})
    entry = world.ledger.registry.snapshot().entries["schedule:s"]
    found = past_times.find(target_of(world), entry, NOW - 24 * HOUR, NOW + 2 * 24 * HOUR)
    assert [(one.fires, one.why_not[:12]) for one in found] == [
        (True, ""), (False, "may have run"), (False, "may have run"),
    ]  # fmt: skip


def test_a_time_that_was_skipped_runs_again_and_what_waits_does_not(world: World, wall: Wall, tick: Any) -> None:  # noqa: F811
    world.declare(schedule(world, cron="0 * * * *", policy={"single_instance": True}))
    for hour in ("09", "10"):
        wall.at(f"2026-11-27T{hour}:00:01")
        tick()
    (clone,) = world.clones()
    world.call("tasks.started", task=clone["id"])
    world.call("tasks.completed", task=clone["id"])
    world.launched_before(clone["id"], 3600)
    entry, target = world.ledger.registry.snapshot().entries["schedule:s"], target_of(world)
    found = past_times.find(target, entry, NOW, wall.ms)
    assert [(one.event.id[11:13], one.why_not) for one in found] == [("09", "has run"), ("10", "")]
    assert len(granting.replay(target, found)) == 1
    again = past_times.find(target, entry, NOW, wall.ms)
    assert [one.why_not for one in again] == ["has run", "is being launched"]
    world.reconcile()
    assert [one.why_not for one in past_times.find(target, entry, NOW, wall.ms)] == ["has run", "has run"]
    assert len(world.clones()) == 2


def test_a_schedule_that_runs_once_keeps_its_own_time(world: World, wall: Wall, tick: Any) -> None:  # noqa: F811
    world.declare(schedule(world, minute=30, recurring=False))
    entry, target = world.ledger.registry.snapshot().entries["schedule:s"], target_of(world)
    assert past_times.find(target, entry, NOW - 24 * HOUR, NOW) == []
    wall.ms = NOW + HOUR // 2
    tick()
    assert launched(world) == ["once"]
    assert [one.why_not for one in past_times.find(target, entry, NOW - 24 * HOUR, wall.ms)] == ["has run"]


def test_many_times_are_looked_up_together(world: World, wall: Wall) -> None:  # noqa: F811
    world.declare(schedule(world, cron="* * * * *"))
    entry, before = world.ledger.registry.snapshot().entries["schedule:s"], world.sandbox.control.counts()
    assert len(past_times.find(target_of(world), entry, NOW - 5 * HOUR, NOW)) == 300
    made = world.sandbox.control.counts()
    assert made["tasks.get_all"] - before.get("tasks.get_all", 0) == 3
    with pytest.raises(Usage, match=r"schedule 's' has more than 10,000 times .* with --to 2026-11-26T23:40:00Z"):
        past_times.find(target_of(world), entry, NOW - 10_500 * 60_000, NOW)


def test_a_time_that_jitter_delays_is_to_come_until_it_runs(world: World, wall: Wall) -> None:  # noqa: F811
    world.declare(schedule(world, cron="0 8 * * *", jitter_seconds=86_400))
    entries = world.ledger.registry.snapshot().active
    wall.ms = NOW + 24 * HOUR
    (due_ms,) = [one.due_ms for one in timetables.coming(entries, NOW, NOW + 240 * HOUR, 50)
                 if one.event.id.startswith("2026-11-28")]  # fmt: skip
    found = timetables.coming(entries, due_ms - 1, NOW + 240 * HOUR, 50)
    assert "2026-11-28T08:00:00Z" in [one.event.id for one in found]
    found = timetables.coming(entries, due_ms, NOW + 240 * HOUR, 50)
    assert "2026-11-28T08:00:00Z" not in [one.event.id for one in found]


def test_only_schedules_have_times(world: World) -> None:
    world.declare(schedule(world, "a", hour=1), schedule(world, "b", hour=1), world.trigger())
    entries = world.ledger.registry.snapshot().entries
    target: Any = SimpleNamespace(ledger=world.ledger, entry=lambda name: entries[f"task:{name}"])
    with pytest.raises(Usage, match="'on failure' is a task trigger: only schedules have times"):
        timetables.schedules(target, "on failure")
    assert {one.trigger.name for one in timetables.schedules(target, None)} == {"a", "b"}
