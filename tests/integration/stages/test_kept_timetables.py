"""The clock keeps timetables by declaration: a look, an edit of one, or another process' cursor renews no others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest

from tests.integration.stages.conftest import World
from tests.integration.stages.test_schedules import HOUR, MINUTE, SECOND, Wall, launched, schedule, tick, wall
from triggers.base.errors import Fenced
from triggers.ledger.registry.entries import Entry
from triggers.rules.schedules.occurrences import Timetable
from triggers.stages import clock as stage

__all__ = ["tick", "wall"]


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How many timetables were made, and how often the next time of one was looked for."""
    count, of, next_due_ms = Counter[str](), stage.timetable_of, Timetable.next_due_ms

    def made(entry: Entry) -> Timetable:
        count["made"] += 1
        return of(entry)

    def planned(table: Timetable, after_ms: int) -> int | None:
        count["planned"] += 1
        return next_due_ms(table, after_ms)

    monkeypatch.setattr(stage, "timetable_of", made)
    monkeypatch.setattr(Timetable, "next_due_ms", planned)
    return count


def test_looks_make_no_timetable_anew(world: World, wall: Wall, work: Counter[str]) -> None:
    world.declare(*(schedule(world, f"s{number}", cron="0 9 * * *") for number in range(50)))
    stage.clock(world.ctx)
    assert work["made"] == 50
    work.clear()
    for _ in range(60):
        wall.ms += SECOND
        stage.clock(world.ctx)
    assert not work, "nothing was due in this minute"


def test_an_edit_renews_only_what_it_changes(world: World, wall: Wall, work: Counter[str]) -> None:
    made = [schedule(world, f"s{number}", cron="0 9 * * *") for number in range(50)]
    world.declare(*made)
    stage.clock(world.ctx)
    stage.clock(world.ctx)
    work.clear()
    world.declare(*made[:48], schedule(world, "s48", cron="30 8 * * *"))
    wall.ms += SECOND
    stage.clock(world.ctx)
    assert work["made"] == 1
    assert work["planned"] <= 2
    wall.at("2026-11-27T08:30:01")
    stage.clock(world.ctx)
    wall.at("2026-11-27T09:00:01")
    assert stage.clock(world.ctx) == 48, "the one that is no longer declared is not due"


def test_what_a_failed_look_took_is_looked_at_again(
    world: World, wall: Wall, tick: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    world.declare(schedule(world, cron="0 9 * * *"))
    tick()
    wall.at("2026-11-27T09:00:01")

    def fails(*_: object) -> None:
        raise Fenced("the lease is another's")

    with monkeypatch.context() as broken:
        broken.setattr(stage, "_store", fails)
        with pytest.raises(Fenced):
            stage.clock(world.ctx)
    world.expire_leases()
    tick()
    assert launched(world) == ["2026-11-27T09:00:00Z"]


def test_processes_take_turns_and_edits_come_between(world: World, wall: Wall) -> None:
    other = world.context()
    granted = 0
    for number in range(12):
        cron = "*/5 * * * *" if number < 6 else "*/10 * * * *"
        world.declare(schedule(world, cron=cron), schedule(world, "t", every="10m"))
        granted += stage.clock(other if number % 3 else world.ctx) or 0
        wall.ms += 5 * MINUTE  # from 08:00:30 to 08:55:30
    assert granted == 5 + 2 + 5  # 08:05 to 08:25, since 08:30 is before the edit; 08:40 and 08:50; every ten minutes


def test_a_clock_that_was_set_back_plans_anew(world: World, wall: Wall, tick: Callable[[], None]) -> None:
    world.declare(schedule(world, cron="0 * * * *"))
    tick()
    wall.ms += 5 * HOUR
    tick()
    wall.at("2026-11-27T09:30:00")
    tick()
    wall.at("2026-11-27T10:00:01")
    tick()
    assert launched(world) == ["2026-11-27T10:00:00Z", "2026-11-27T13:00:00Z"]
