"""A schedule whose times are edited: the new ones count from then on, and nothing of before comes at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.integration.stages.conftest import World
from tests.integration.stages.test_forgotten_marks import target_of
from tests.integration.stages.test_schedules import HOUR, MINUTE, Wall, launched, schedule, tick, wall
from triggers.operate import changes
from triggers.rules.schedules.occurrences import jitter_of

__all__ = ["tick", "wall"]


@pytest.mark.parametrize(
    "edited",
    [
        {"cron": "*/5 * * * *"},
        {"cron": "0 9 * * *", "timezone": "Asia/Tokyo"},
        {"every": "7m"},
        {"minute": 5},
        {"day": 1, "hour": 12},
        {"at": "2026-11-27T12:00"},
    ],
)
@pytest.mark.parametrize("catch_up", ["last", "all"])
def test_new_times_are_not_caught_up_from_before_the_edit(
    world: World, wall: Wall, tick: Callable[[], None], edited: dict[str, Any], catch_up: str
) -> None:
    """The workers were stopped for hours, and the script is edited before they start again."""
    world.declare(schedule(world, cron="0 6 * * *", catch_up=catch_up))
    tick()
    wall.ms += 9 * HOUR
    world.declare(schedule(world, catch_up=catch_up, **edited))
    tick()
    assert launched(world) == []
    wall.ms += 8 * MINUTE
    tick()
    assert bool(launched(world)) == bool({"every", "minute"} & edited.keys() or edited.get("cron") == "*/5 * * * *")


def test_what_was_missed_is_made_up_for_when_only_other_fields_are_edited(
    world: World, wall: Wall, tick: Callable[[], None]
) -> None:
    world.declare(schedule(world, cron="0 * * * *", catch_up="all"))
    wall.at("2026-11-27T09:00:01")
    tick()
    wall.at("2026-11-27T12:30:00")
    world.declare(schedule(world, cron="0 * * * *", catch_up="all", exclude=["2026-12-25"], until="2027-01-01"))
    tick()
    assert launched(world) == [f"2026-11-27T{hour:02}:00:00Z" for hour in (9, 10, 11, 12)]


def test_elapsed_time_counts_from_the_registration_after_an_edit(
    world: World, wall: Wall, tick: Callable[[], None]
) -> None:
    world.declare(schedule(world, every="1h"))  # at 08:00:30
    wall.at("2026-11-27T08:40:00")
    world.declare(schedule(world, every="15m"))
    tick()
    wall.at("2026-11-27T08:45:31")
    tick()
    assert launched(world) == ["2026-11-27T08:45:30Z"]


def test_the_only_time_of_a_schedule_is_the_first_after_its_edit(
    world: World, wall: Wall, tick: Callable[[], None]
) -> None:
    world.declare(schedule(world, day=1, hour=22, recurring=False))
    wall.at("2026-11-27T12:00:00")
    tick()
    world.declare(schedule(world, day=1, hour=11, recurring=False))
    for text in ("2026-11-27T12:00:01", "2026-11-27T22:00:01", "2026-11-28T11:00:01", "2026-11-29T11:00:01"):
        wall.at(text)
        tick()
    assert [(one.object, one.what) for one in world.history("launched")] == [("once", "launched")]


def test_a_new_name_is_a_new_schedule(world: World, wall: Wall, tick: Callable[[], None]) -> None:
    world.declare(schedule(world, "before", cron="0 * * * *", catch_up="all"))
    tick()
    wall.at("2026-11-27T14:30:00")
    world.declare(schedule(world, "after", cron="0 * * * *", catch_up="all"))
    tick()
    assert launched(world) == []
    wall.at("2026-11-27T15:00:01")
    tick()
    assert launched(world) == ["2026-11-27T15:00:00Z"]


def test_a_clock_set_back_to_before_the_edit(world: World, wall: Wall, tick: Callable[[], None]) -> None:
    world.declare(schedule(world, cron="0 6 * * *"))
    tick()
    wall.at("2026-11-27T14:00:00")
    world.declare(schedule(world, cron="0 * * * *"))
    tick()
    wall.at("2026-11-27T10:30:00")
    tick()
    wall.at("2026-11-27T11:00:01")
    tick()
    assert launched(world) == ["2026-11-27T11:00:00Z"]


def test_skipping_what_was_missed_keeps_elapsed_time_in_step(
    world: World, wall: Wall, tick: Callable[[], None]
) -> None:
    hourly = schedule(world, every="1h", catch_up="all")  # from 08:00:30
    world.declare(hourly)
    world.pause(hourly)
    wall.at("2026-11-27T10:20:00")
    changes.resume(target_of(world), [world.ledger.registry.snapshot().entries[hourly.id]], skip_missed=True)
    tick()
    assert launched(world) == []
    wall.at("2026-11-27T11:00:31")
    tick()
    assert launched(world) == ["2026-11-27T11:00:30Z"]


@pytest.mark.parametrize("jitters", [(0,), (120,), (2700, 0), (60, 2700, 5), (3599, 0, 3599, 1)])
def test_what_waits_for_its_delay_keeps_it_when_the_jitter_is_edited(
    world: World, wall: Wall, tick: Callable[[], None], jitters: tuple[int, ...]
) -> None:
    """The script is edited between the nominal time and the moment at which it is due; no process ticks meanwhile."""
    name, nominal = "s", "2026-11-27T09:00:00Z"
    world.declare(schedule(world, name, cron="0 * * * *", jitter_seconds=3599))
    wall.at("2026-11-27T09:00:00")
    due_ms = wall.ms + jitter_of(name, nominal, 3_599_000)
    assert due_ms - wall.ms > 5 * MINUTE, "a name with a long delay"
    tick()
    for number, jitter in enumerate(jitters):
        wall.ms += (number + 1) * 1000
        world.declare(schedule(world, name, cron="0 * * * *", jitter_seconds=jitter))
        tick()
        assert launched(world) == []
    wall.ms = due_ms - 1
    tick()
    assert launched(world) == []
    wall.ms = due_ms
    tick()
    assert launched(world) == [nominal]
    wall.at("2026-11-27T10:00:00")
    wall.ms += jitter_of(name, "2026-11-27T10:00:00Z", jitters[-1] * 1000)
    tick()
    assert launched(world) == [nominal, "2026-11-27T10:00:00Z"], "later times have the new one"


@pytest.mark.parametrize("catch_up", ["all", "last"])
def test_a_jitter_that_is_edited_while_workers_are_down_loses_nothing(
    world: World, wall: Wall, tick: Callable[[], None], catch_up: str
) -> None:
    world.declare(schedule(world, cron="0 * * * *", jitter_seconds=3599, catch_up=catch_up))
    wall.at("2026-11-27T09:00:01")
    tick()
    assert launched(world) == []
    wall.at("2026-11-27T12:30:00")
    world.declare(schedule(world, cron="0 * * * *", catch_up=catch_up))
    wall.at("2026-11-27T12:59:59")
    tick()
    found = [f"2026-11-27T{hour:02}:00:00Z" for hour in (9, 10, 11, 12)]
    assert launched(world) == (found if catch_up == "all" else found[-1:])


@pytest.mark.parametrize("catch_up", ["last", "all", "none"])
def test_at_once_waits_for_the_first_worker(world: World, wall: Wall, tick: Callable[[], None], catch_up: str) -> None:
    """Whatever `catch_up` says: it is not a nominal time that was missed."""
    world.declare(schedule(world, cron="0 6 * * *", catch_up=catch_up, catch_up_window="1m", execute_immediately=True))
    wall.ms += 7 * HOUR
    tick()
    wall.ms += 7 * HOUR
    tick()
    assert launched(world) == ["immediately"]


def test_at_once_comes_once_beside_what_is_made_up_for(world: World, wall: Wall, tick: Callable[[], None]) -> None:
    names = ("last", "all", "none")
    world.declare(*(schedule(world, name, cron="0 * * * *", catch_up=name, execute_immediately=True) for name in names))
    wall.at("2026-11-27T10:30:00")
    tick()
    nine, ten = "2026-11-27T09:00:00Z", "2026-11-27T10:00:00Z"
    assert {(one.trigger, one.object) for one in world.history("launched")} == {
        ("schedule:last", ten), ("schedule:all", "immediately"), ("schedule:all", nine), ("schedule:all", ten),
        ("schedule:none", "immediately"),
    }  # fmt: skip
