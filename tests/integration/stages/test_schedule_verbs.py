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
from triggers.operate import granting, timetables


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
    found = timetables.past(target, entry, NOW - 3 * HOUR, wall.ms)
    assert [(one.event.id[11:16], one.fires) for one in found] == [
        ("06:00", True), ("07:00", True), ("08:00", True), ("09:00", False),
    ]  # fmt: skip
    assert len(granting.replay(target, found)) == 3
    world.reconcile()
    assert [time[11:16] for time in launched(world)] == ["06:00", "07:00", "08:00", "09:00"]
    assert not any(one.fires for one in timetables.past(target, entry, NOW - 3 * HOUR, wall.ms))


def test_what_is_no_schedule_or_not_past_is_refused(world: World, wall: Wall) -> None:  # noqa: F811
    world.declare(schedule(world, cron="* * * * * *"), world.trigger())
    entries, target = world.ledger.registry.snapshot().entries, target_of(world)
    for id_, from_ms, to_ms, what in (
        ("task:on failure", NOW - 1000, NOW, "replay"),
        ("schedule:s", NOW, NOW - 1000, "--from first"),
        ("schedule:s", NOW, NOW + HOUR, "--from first"),
        ("schedule:s", NOW - 24 * HOUR, NOW, "closer to each other"),
    ):
        with pytest.raises(Usage, match=what):
            timetables.past(target, entries[id_], from_ms, to_ms)
