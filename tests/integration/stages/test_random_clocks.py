"""Clocks that are set by hours between any two ticks, and two beats: each time once, and none lost within catch_up.

A seeded walk, with the real ledger: what happens does not depend on how fast the machine is.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable

import pytest

from tests.integration.stages.conftest import World
from tests.integration.stages.test_schedules import DAY, HOUR, MINUTE, SECOND, Wall, schedule, tick, wall
from triggers.model.trigger import ScheduleTrigger
from triggers.rules.schedules import calendar_for
from triggers.rules.schedules.zones import utc_text
from triggers.stages import clock as stage

__all__ = ["tick", "wall"]

SCHEDULES = {
    "cron": {"cron": "*/20 * * * *", "timezone": "America/New_York"},
    "classic": {"weekdays": ["friday", "saturday", "sunday"], "hour": 1, "timezone": "Pacific/Apia"},
    "every": {"every": "25m"},
    "jitter": {"cron": "5 * * * *", "jitter_seconds": 1_500},
}
STEPS = (SECOND, 30 * SECOND, 10 * MINUTE, 25 * MINUTE, 3 * HOUR, -2 * HOUR, -30 * MINUTE, -SECOND)


@pytest.mark.parametrize("seed", range(6))
def test_each_time_runs_once_wherever_clocks_go(world: World, wall: Wall, tick: Callable[[], None], seed: int) -> None:
    """Within catch_up="all" each time that the clock has come past runs; no time runs twice, and none too early."""
    chance = random.Random(seed)
    wanted = [
        schedule(world, name, catch_up="all", catch_up_window="2d", **fields) for name, fields in SCHEDULES.items()
    ]
    world.declare(*wanted)
    since = {id_: entry.since_ms for id_, entry in world.ledger.registry.snapshot().entries.items()}
    beats = [world.context(), world.context()]
    latest = began = wall.ms
    granted: Counter[tuple[str, str]] = Counter()
    for _ in range(60):
        step = chance.choice(
            [SECOND, 30 * SECOND, 10 * MINUTE, 25 * MINUTE, 3 * HOUR, -2 * HOUR, -30 * MINUTE, -SECOND]
        )
        wall.ms = min(max(began, wall.ms + step), began + DAY)
        latest = max(latest, wall.ms)
        for _ in range(chance.randint(1, 2)):
            stage.clock(chance.choice(beats))
    world.settle()
    for entry in world.history("granted"):
        granted[entry.trigger, entry.object] += 1
    assert set(granted.values()) == {1}
    for trigger in wanted:
        assert isinstance(trigger, ScheduleTrigger)
        calendar = calendar_for(trigger, since[trigger.id])
        found = {id_ for name, id_ in granted if name == trigger.id}
        assert found <= {utc_text(ms) for ms in calendar.between(began, latest)}
        certain = {utc_text(ms) for ms in calendar.between(began, latest - trigger.jitter_ms)}
        assert certain <= found, sorted(certain - found)[:3]
