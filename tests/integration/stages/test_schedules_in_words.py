"""What `explain`, `show` and `list` say of schedules and of their times."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from tests.integration.stages.conftest import World
from tests.integration.stages.test_schedules import (  # noqa: F401 - fixtures
    Wall,
    schedule,
    tick,
    wall,
)
from triggers.explain.every import explain_every
from triggers.explain.gather import gather
from triggers.explain.judge import judge
from triggers.explain.values import Explanation
from triggers.operate import wording


def explained(world: World, at: str) -> Explanation:
    entry = world.ledger.registry.snapshot().entries["schedule:s"]
    scheduler = SimpleNamespace(service_task=world.service)
    target: Any = SimpleNamespace(ledger=world.ledger, api=world.api, settings=world.settings, scheduler=scheduler)
    return judge(gather(target, entry, at))


@pytest.mark.parametrize("others", [0, 2])
def test_a_time_is_explained(
    world: World,
    wall: Wall,  # noqa: F811
    tick: Callable[[], None],  # noqa: F811
    others: int,
) -> None:
    world.declare(
        schedule(world, cron="0 * * * *", catch_up_window="2h"),
        *(schedule(world, f"other {number}", cron="0 * * * *") for number in range(others)),
    )
    tick()
    wall.at("2026-11-27T14:00:30")  # the last of what seems missed
    tick()
    for at, answer, words, way_out in (
        ("2026-11-27T14:00:00Z", "fired", "it fired", ""),
        ("2026-11-27T15:00:00Z", "will fire", "its time has not come", ""),
        ("2026-11-27T14:30:00Z", "does not fire", "not a time of the schedule, cron='0 * * * *'", "15:00:00+00:00"),
        (
            "2026-11-27T11:00:00Z",
            "does not fire",
            "catch_up='last', catch_up_window='2h'",
            "backfill s --from 2026-11-27T11:00:00Z --to 2026-11-27T11:00:00Z` runs it",
        ),
        (
            "2026-11-27T08:00:00Z",
            "does not fire",
            "before the schedule was registered",
            "backfill s --from 2026-11-27T08",
        ),
        ("yesterday", "no such time", "yesterday is not a time of a schedule", "2026-11-28T05:15:00Z"),
    ):
        found = explained(world, at)
        assert not any("change at" in check.words for check in found.checks), "a time is no change"
        assert (found.answer, words in found.because, way_out in found.way_out) == (answer, True, True), found


def test_a_time_alone_is_explained_for_schedules_and_an_object_for_triggers(world: World) -> None:
    world.declare(schedule(world, "a", hour=1), schedule(world, "b", hour=1), world.trigger())
    scheduler = SimpleNamespace(service_task=world.service)
    target: Any = SimpleNamespace(ledger=world.ledger, api=world.api, settings=world.settings, scheduler=scheduler)
    for word, names in (
        ("2026-11-28T05:15:00Z", ["a", "b"]), (world.create_task("some"), ["on failure"]),
        ("no such object", ["on failure"]),
    ):  # fmt: skip
        found, left_out = explain_every(target, word)
        assert (sorted(one.facts.entry.trigger.name for one in found), left_out) == (names, 0)


def test_a_time_that_was_skipped_does_not_come_again(
    world: World,
    wall: Wall,  # noqa: F811
    tick: Callable[[], None],  # noqa: F811
) -> None:
    world.declare(schedule(world, cron="0 * * * *", policy={"single_instance": True}))
    for hour in ("09", "10"):
        wall.at(f"2026-11-27T{hour}:00:01")
        tick()
    found = explained(world, "2026-11-27T10:00:00Z")
    assert found.answer == "skipped"
    assert "next change" not in found.because


def test_a_schedule_is_reported_by_its_times(world: World) -> None:
    policy = {
        "single_instance": True,
        "overlap": "cancel_previous",
        "limit_execution_time": 1.5,
        "pause_on_failures": 3,
    }
    made = schedule(
        world, cron="15 6 * * mon-fri", timezone="Europe/Berlin", exclude=["2026-12-25"], recurring=False, policy=policy
    )
    assert wording.condition(made) == (
        "schedule: cron='15 6 * * mon-fri', timezone='Europe/Berlin', recurring=False, exclude=['2026-12-25']"
    )
    assert wording.policy(made, 1000) == [
        "once at each time", "one launch at a time, the newest aborts the one before", "aborted after 1.5 h",
        "paused after 3 failures in a row", "at most 1000 launches a minute",
    ]  # fmt: skip
