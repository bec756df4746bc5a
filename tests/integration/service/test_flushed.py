"""FLUSHALL while workers serve: the run of Redis is the same, its data is gone, and nothing is launched twice."""

from __future__ import annotations

import pytest

from tests.integration.service.test_inheritance import HomeWorld, _let_leases_run_out, home_world
from tests.integration.service.test_moving import settled
from triggers.base.errors import EpochChanged

__all__ = ["home_world"]


def test_each_of_five_objects_is_launched_once(home_world: HomeWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    world = home_world
    trigger = world.trigger()
    world.come_home(trigger)
    for _ in range(5):
        world.fail_task()
    world.step()
    assert sorted(world.runs().values()) == [1] * 5
    world.sync()
    world.ledger.store.client.flushall()
    with pytest.raises(EpochChanged):
        world.poll()
    world.ctx.begin_epoch()
    monkeypatch.setattr("triggers.sync.takeover.time.sleep", lambda _: _let_leases_run_out(world))
    world.come_home(trigger)
    assert settled(world) == []
    assert sorted(world.runs().values()) == [1] * 5
    world.tick()
    later = world.fail_task()
    assert settled(world) == [later]


def test_a_schedule_keeps_the_start_from_which_its_times_are_counted(
    home_world: HomeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = home_world
    schedule = world.trigger("schedule", "hourly", every="1h")
    world.come_home(schedule)
    begun = world.ledger.registry.snapshot().entries[schedule.id].since_ms
    world.step()
    world.sync()
    world.ledger.store.client.flushall()
    with pytest.raises(EpochChanged):
        world.poll()
    world.ctx.begin_epoch()
    monkeypatch.setattr("triggers.sync.takeover.time.sleep", lambda _: _let_leases_run_out(world))
    world.come_home(schedule)
    assert world.ledger.registry.snapshot().entries[schedule.id].since_ms == begun
