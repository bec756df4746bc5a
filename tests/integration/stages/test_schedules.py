"""Schedules on the ledger: each nominal time is launched once, whatever happens to clocks, ticks and processes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.integration.stages.conftest import World
from triggers.base.errors import Fenced
from triggers.ledger import Ledger
from triggers.ledger.firings.firing import firing_key
from triggers.model import Trigger
from triggers.rules.schedules.zones import to_ms, utc_text
from triggers.stages import clock as stage

SECOND, MINUTE, HOUR, DAY = 1_000, 60_000, 3_600_000, 86_400_000
NOW = to_ms(datetime(2026, 11, 27, 8, 0, 30, tzinfo=UTC))


@dataclass
class Wall:
    """Redis' wall clock, as the schedules see it."""

    ms: int = NOW

    def at(self, text: str) -> None:
        self.ms = to_ms(datetime.fromisoformat(text).replace(tzinfo=UTC))


@pytest.fixture
def wall(monkeypatch: pytest.MonkeyPatch) -> Iterator[Wall]:
    clock = Wall()
    monkeypatch.setattr(Ledger, "wall_ms", lambda _: clock.ms)
    monkeypatch.setattr("triggers.ledger.clock.wall_ms", lambda *_: clock.ms)
    monkeypatch.setattr(stage, "AHEAD_MS", 0)  # it waits for nothing
    return clock  # type: ignore[return-value]


@pytest.fixture
def tick(world: World, wall: Wall) -> Callable[[], None]:
    def one() -> None:
        stage.clock(world.ctx)
        world.settle()

    return one


def schedule(world: World, name: str = "s", **fields: Any) -> Trigger:
    return world.trigger("schedule", name, **fields)


def launched(world: World) -> list[str]:
    """The nominal times that were launched, sorted."""
    return sorted(entry.object for entry in world.history("launched"))


def test_a_time_is_launched_once_however_many_ticks(world: World, wall: Wall, tick: Callable[[], None]) -> None:
    nightly = schedule(world, cron="0 9 * * *", timezone="Europe/Berlin",
                       action={"parameters": {"Args/at": "${schedule.at}"}})  # fmt: skip
    world.declare(nightly)
    wall.at("2026-11-28T07:59:59")
    tick()
    assert launched(world) == []
    wall.at("2026-11-28T08:00:00")
    for _ in range(3):
        tick()
    assert launched(world) == ["2026-11-28T08:00:00Z"]
    (clone,) = world.clones()
    assert clone["hyperparams"]["Args"]["at"]["value"] == "2026-11-28T09:00:00+01:00"
    key = firing_key(world.ledger.scheduler, nightly.id, "2026-11-28T08:00:00Z", 1)
    assert dict(world.runs()) == {key: 1}


def test_idle_schedules_ask_the_server_for_nothing(world: World, wall: Wall, tick: Callable[[], None]) -> None:
    """Also those that are over, and those whose times are all left out."""
    world.declare(
        schedule(world, cron="0 9 * * *", policy={"limit_execution_time": 1, "pause_on_failures": 2}),
        schedule(world, "ended", cron="* * * * *", until="2026-11-27T07:00"),
        schedule(world, "over", at="2020-01-01T00:00"),
        schedule(world, "left out", cron="* * * * *", exclude=["2026-11-27"]),
    )
    world.reconcile()  # of the limit it learns once what runs
    before = world.sandbox.control.counts()
    for _ in range(5):
        wall.ms += 20 * SECOND
        tick()
        world.poll()
        world.reconcile()
    assert world.sandbox.control.counts() == before
    assert launched(world) == []


@pytest.mark.parametrize(
    ("catch_up", "window", "expected"),
    [
        ("last", "1d", [7]), ("all", "1d", [1, 2, 3, 4, 5, 6, 7]), ("none", "1d", []), ("all", "3h", [5, 6, 7]),
        ("last", "10m", []),
    ],
)  # fmt: skip
def test_what_a_night_of_suspension_missed(
    world: World, wall: Wall, tick: Callable[[], None], catch_up: str, window: str, expected: list[int]
) -> None:
    world.declare(schedule(world, cron="0 * * * *", catch_up=catch_up, catch_up_window=window))
    wall.at("2026-11-28T00:30:00")
    tick()
    before = launched(world)
    wall.at("2026-11-28T07:30:00")
    tick()
    tick()
    assert launched(world)[len(before) :] == [f"2026-11-28T0{hour}:00:00Z" for hour in expected]


def test_a_clock_that_is_set_forward_and_back_launches_each_time_once(
    world: World, wall: Wall, tick: Callable[[], None]
) -> None:
    world.declare(schedule(world, cron="0 * * * *"))
    wall.at("2026-11-27T09:00:01")
    tick()
    wall.at("2026-11-27T14:00:01")  # five hours forward: the last of what seems missed
    tick()
    assert launched(world) == ["2026-11-27T09:00:00Z", "2026-11-27T14:00:00Z"]
    wall.at("2026-11-27T09:05:00")
    tick()
    for hour in range(10, 16):
        wall.at(f"2026-11-27T{hour}:00:02")
        tick()
    assert sorted(launched(world)) == [f"2026-11-27T{hour:02}:00:00Z" for hour in range(9, 16)]


def test_a_schedule_registered_by_a_clock_that_was_ahead_begins_now(
    world: World, wall: Wall, tick: Callable[[], None]
) -> None:
    wall.ms += 5 * HOUR
    world.declare(schedule(world, cron="0 * * * *"))
    tick()
    wall.ms -= 5 * HOUR
    tick()
    wall.at("2026-11-27T09:00:01")
    tick()
    assert launched(world) == ["2026-11-27T09:00:00Z"]


def test_at_once_and_only_once_survive_restarts(world: World, wall: Wall, tick: Callable[[], None]) -> None:
    both = [
        schedule(world, "at once", hour=1, execute_immediately=True, recurring=False),
        schedule(world, "only once", minute=5, recurring=False),
        schedule(world, "and on", minute=30, execute_immediately=True),
    ]
    world.declare(*both)
    for _ in range(3):
        tick()
        world.declare(*both)
        wall.ms += 10 * MINUTE
    assert sorted(launched(world)) == ["immediately", "immediately", "once"]
    wall.ms += HOUR
    tick()
    assert len(launched(world)) == 4
    world.declare()
    world.declare(*both)
    wall.ms += MINUTE
    tick()
    assert len(launched(world)) == 4, "declared again, they have run"


def test_an_edit_keeps_what_has_run(world: World, wall: Wall, tick: Callable[[], None]) -> None:
    world.declare(schedule(world, cron="0 9 * * *"))
    wall.at("2026-11-27T09:00:01")
    tick()
    world.declare(schedule(world, cron="0,30 9 * * *", timezone="UTC"))
    tick()
    assert launched(world) == ["2026-11-27T09:00:00Z"]
    wall.at("2026-11-27T09:30:01")
    tick()
    assert launched(world) == ["2026-11-27T09:00:00Z", "2026-11-27T09:30:00Z"]


@pytest.mark.parametrize(("catch_up", "expected"), [("last", 1), ("all", 3), ("none", 0)])
def test_what_came_due_during_a_pause(
    world: World, wall: Wall, tick: Callable[[], None], catch_up: str, expected: int
) -> None:
    paused = schedule(world, cron="*/10 * * * *", catch_up=catch_up)
    world.declare(paused)
    world.pause(paused)
    for minute in (10, 20, 30):
        wall.at(f"2026-11-27T08:{minute}:01")
        tick()
    assert launched(world) == []
    world.pause(paused, False)
    world.reconcile()
    assert len(launched(world)) == expected


def test_a_tick_that_lost_its_lease_stores_nothing(
    world: World, wall: Wall, tick: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    world.declare(schedule(world, cron="0 9 * * *"))
    wall.at("2026-11-27T09:00:01")
    taken = stage.partitions_now

    def take_over(ctx: Any) -> int:
        """The beat is taken over in the middle of the tick: another looks at the same times."""
        monkeypatch.setattr(stage, "partitions_now", taken)
        world.ledger.store.client.delete(world.ledger.keys.lease("clock"))
        stage.clock(world.context())
        return taken(ctx)

    monkeypatch.setattr(stage, "partitions_now", take_over)
    with pytest.raises(Fenced):
        stage.clock(world.ctx)
    world.settle()
    tick()
    assert launched(world) == ["2026-11-27T09:00:00Z"]
    assert sum(world.runs().values()) == 1


def test_a_redis_that_came_back_empty_launches_nothing_again(
    world: World, wall: Wall, tick: Callable[[], None]
) -> None:
    both = [schedule(world, cron="0 * * * *", catch_up="all"), schedule(world, "o", minute=5, recurring=False)]
    world.declare(*both)
    for hour in (9, 10, 11):
        wall.at(f"2026-11-27T{hour:02}:00:01")
        tick()
    before = dict(world.runs())
    since = {id_: entry.since_ms for id_, entry in world.ledger.registry.snapshot().entries.items()}
    world.ledger.store.client.flushall()
    world.ctx = world.context()
    world.ledger.registry.declare(both, origin="script", server_now_ms=0, since_ms=since)
    world.ctx.memories.clear()
    tick()
    world.expire_leases()
    world.reconcile()
    assert dict(world.runs()) == before


def test_rules_of_granted_times_stay_when_zones_change(
    world: World, wall: Wall, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.declare(schedule(world, cron="0 9 * * *", timezone="Europe/Berlin",
                           action={"parameters": {"Args/at": "${schedule.at}"}}))  # fmt: skip
    wall.at("2026-11-28T08:00:01")
    stage.clock(world.ctx)
    monkeypatch.setattr("triggers.rules.schedules.zones.zone_of", lambda _: pytest.fail("worked out again"))
    world.settle()
    (clone,) = world.clones()
    assert clone["hyperparams"]["Args"]["at"]["value"] == "2026-11-28T09:00:00+01:00"


def test_jitter_is_the_same_for_everybody(world: World, wall: Wall, tick: Callable[[], None]) -> None:
    world.declare(schedule(world, cron="0 9 * * *", jitter_seconds=120))
    seen = []
    wall.at("2026-11-27T09:00:00")
    while not launched(world) and wall.ms < NOW + 2 * HOUR:
        tick()
        seen.append(wall.ms)
        wall.ms += SECOND
    assert launched(world) == ["2026-11-27T09:00:00Z"]
    assert 0 < len(seen) <= 122


def test_old_marks_are_forgotten_and_what_they_kept_stays_so(
    world: World, wall: Wall, tick: Callable[[], None]
) -> None:
    wanted = schedule(world, cron="0 9 * * *")
    world.declare(wanted)
    for day in range(28, 31):
        wall.at(f"2026-11-{day}T09:00:01")
        tick()
    wall.ms += 10 * DAY
    tick()
    marks = world.ledger.store.client.hkeys(world.ledger.keys.marks(wanted.id))
    assert marks == [utc_text(wall.ms - wall.ms % DAY + 9 * HOUR)]
    ran = launched(world)
    wall.ms -= 12 * DAY
    tick()
    assert launched(world) == ran


@pytest.mark.parametrize("others", [True, False])
def test_marks_of_a_deleted_schedule_are_forgotten_like_others(
    world: World, wall: Wall, tick: Callable[[], None], others: bool
) -> None:
    deleted, other = schedule(world, "deleted", cron="0 9 * * *"), schedule(world, "other", cron="0 9 * * *")
    world.declare(deleted, *([other] if others else []))
    for day in (29, 30):
        wall.at(f"2026-11-{day}T09:00:01")
        tick()
    world.declare(*([other] if others else []))
    marks = world.ledger.matching.object_counts
    tick()
    assert marks([deleted.id]) == [2], "a clock that is set back may come back to them"
    wall.ms += 10 * DAY
    world.ctx = world.context()  # another process: this one has looked within the hour
    tick()
    assert marks([deleted.id]) == [0]
    ran = launched(world)
    world.declare(deleted, *([other] if others else []))
    wall.ms -= 12 * DAY
    tick()
    assert [time for time in launched(world) if time not in ran] == []


def test_several_schedulers_of_one_tick_have_times_of_their_own(world: World, wall: Wall) -> None:
    world.declare(*(schedule(world, f"s{number}", cron="0 9 * * *") for number in range(50)))
    wall.at("2026-11-27T09:00:01")
    assert stage.clock(world.ctx) == 50
    world.settle()
    assert len(launched(world)) == 50
    assert len(world.runs()) == 50


def test_since_is_redis_time(world: World, wall: Wall) -> None:
    world.ledger.registry.declare(
        [schedule(world, cron="0 9 * * *"), world.trigger()], origin="script", server_now_ms=NOW + 5 * HOUR
    )
    entries = world.ledger.registry.snapshot().entries
    assert entries["schedule:s"].since_ms == NOW
    assert entries["task:on failure"].since_ms == NOW + 5 * HOUR
    assert replace(entries["schedule:s"], since_ms=0).since_ms == 0
