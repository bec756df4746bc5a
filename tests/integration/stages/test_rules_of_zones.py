"""A worker whose time zone database is another one: what ran does not run again, and nothing is passed over."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib.resources import files
from zoneinfo import ZoneInfo

import pytest

from tests.integration.stages.conftest import World
from tests.integration.stages.test_schedules import Wall, launched, schedule, tick, wall
from triggers.ledger.registry.registry import Registry
from triggers.model import schedule_values
from triggers.rules.schedules import zones

__all__ = ["tick", "wall"]

#: Zones whose rules Berlin's may be in another database: in November 1 h, 3 h, and -1 h ahead of UTC.
BERLIN, MOSCOW, AZORES = "Europe/Berlin", "Europe/Moscow", "Atlantic/Azores"

Rules = Callable[[World, str], None]


@pytest.fixture
def rules(monkeypatch: pytest.MonkeyPatch) -> Iterator[Rules]:
    """Go on as another process, in whose database Berlin has the rules of another zone."""

    def of(world: World, zone: str) -> None:
        with files("tzdata.zoneinfo").joinpath(zone).open("rb") as opened:
            read = ZoneInfo.from_file(opened, key=BERLIN)
        monkeypatch.setattr(zones, "ZoneInfo", lambda name: read if name == BERLIN else ZoneInfo(name))
        zones.zone_of.cache_clear()
        world.ctx = world.context()
        world.ctx.memories.clear()

    yield of
    monkeypatch.undo()
    zones.zone_of.cache_clear()


@pytest.mark.parametrize("when", [{"cron": "0 9 * * *"}, {"day": 1, "hour": 9}, {"at": "2026-11-28T09:00"}])
def test_a_local_time_that_ran_does_not_run_again_later(
    world: World, wall: Wall, tick: Callable[[], None], rules: Rules, when: dict[str, object]
) -> None:
    rules(world, BERLIN)
    world.declare(schedule(world, timezone=BERLIN, catch_up="all", **when))
    wall.at("2026-11-28T08:00:01")
    tick()
    assert launched(world) == ["2026-11-28T08:00:00Z"]
    rules(world, AZORES)
    for hour in (9, 10, 11):
        wall.at(f"2026-11-28T{hour:02}:00:01")
        tick()
    assert launched(world) == ["2026-11-28T08:00:00Z"], "09:00 was run"
    wall.at("2026-11-29T10:00:01")
    tick()
    assert launched(world)[1:] == ([] if "at" in when else ["2026-11-29T10:00:00Z"])


@pytest.mark.parametrize(("catch_up", "expected"), [("last", ["2026-11-28T06:00:00Z"]), ("none", [])])
def test_a_local_time_that_is_over_at_once_was_missed(
    world: World, wall: Wall, tick: Callable[[], None], rules: Rules, catch_up: str, expected: list[str]
) -> None:
    rules(world, BERLIN)
    world.declare(schedule(world, cron="0 9 * * *", timezone=BERLIN, catch_up=catch_up))
    wall.at("2026-11-28T07:30:00")
    tick()
    rules(world, MOSCOW)
    for text in ("2026-11-28T07:30:10", "2026-11-28T08:00:01"):
        wall.at(text)
        tick()
    assert launched(world) == expected


def test_elapsed_time_and_moments_with_an_offset_have_no_rules(
    world: World, wall: Wall, tick: Callable[[], None], rules: Rules
) -> None:
    rules(world, BERLIN)
    wall.at("2026-11-28T05:00:00")
    world.declare(
        schedule(world, "every", every="3h", timezone=BERLIN),
        schedule(world, "at", at="2026-11-28T09:00:00+01:00", timezone=BERLIN),
        schedule(world, "local", cron="0 9 * * *", timezone=BERLIN),
    )
    wall.at("2026-11-28T07:30:00")
    tick()
    for zone in (AZORES, MOSCOW):
        rules(world, zone)
        wall.ms += 30 * 60_000
        tick()
    assert launched(world) == ["2026-11-28T06:00:00Z", "2026-11-28T08:00:00Z", "2026-11-28T08:00:00Z"]


def test_workers_with_two_databases_take_turns(
    world: World, wall: Wall, tick: Callable[[], None], rules: Rules
) -> None:
    """Each local hour runs once: what one has looked at waits for it in the other, whose clock is behind."""
    rules(world, BERLIN)
    world.declare(schedule(world, cron="0 * * * *", timezone=BERLIN, catch_up="all"))
    for number in range(41):
        rules(world, (BERLIN, AZORES)[number % 2])
        wall.ms += 15 * 60_000
        tick()
    assert launched(world) == [f"2026-11-27T{hour:02}:00:00Z" for hour in range(9, 19)]


@pytest.mark.parametrize("catch_up", ["last", "all"])
def test_a_worker_that_does_not_know_a_zone_serves_the_others_and_what_passed_by_comes_later(
    world: World, wall: Wall, tick: Callable[[], None], monkeypatch: pytest.MonkeyPatch, catch_up: str
) -> None:
    known = [
        schedule(world, "of a zone", cron="0 * * * *", timezone="Pacific/Apia", catch_up=catch_up),
        schedule(world, "other", cron="0 * * * *"),
    ]
    world.declare(*known)
    tick()
    with monkeypatch.context() as older:
        older.setattr(schedule_values, "_zones", lambda: frozenset({"UTC"}))
        another_process(world)
        for hour in (9, 10, 11):
            wall.at(f"2026-11-27T{hour:02}:00:01")
            tick()
        assert set(world.ledger.registry.snapshot().unreadable) == {"schedule:of a zone"}
        assert launched(world) == [f"2026-11-27T{hour:02}:00:00Z" for hour in (9, 10, 11)]
    another_process(world)
    wall.ms += 20 * 60_000
    tick()
    assert len(launched(world)) == 3, "somebody may still be at work who does not know it"
    let_a_minute_pass(world)
    for _ in range(2):
        wall.ms += 60_000
        tick()
    again = [one.object for one in world.history("launched") if one.trigger == "schedule:of a zone"]
    missed = (11,) if catch_up == "last" else (9, 10, 11)
    assert sorted(again) == [f"2026-11-27T{hour:02}:00:00Z" for hour in missed]
    assert world.ledger.unread_triggers.notes() == {}


def another_process(world: World) -> None:
    world.ledger.registry = Registry(world.ledger.store, world.ledger.keys)
    world.ctx = world.context()


def let_a_minute_pass(world: World) -> None:
    """Let the notes of what passed by be of more than a minute ago."""
    for id_, note in world.ledger.unread_triggers.notes().items():
        text = f"{note.from_ms} {note.noted_ms - 61_000} {note.why}"
        world.ledger.store.client.hset(world.ledger.keys.unread_triggers, id_, text)
