"""Schedules while Redis dies, forgets and is emptied under several beats: each time is launched once, none is missing.

`test_everywhere` kills, freezes and rolls back at every point of a tick and of the launches that follow.
"""

from __future__ import annotations

from collections.abc import Callable

from tests.crash.processes import eventually
from tests.crash.scenarios import EVERY
from tests.crash.world import World
from triggers.rules.schedules.zones import utc_text

Making = Callable[..., World]


class Times:
    """The times of one schedule, counted from its first registration on."""

    def __init__(self, world: World) -> None:
        self.world = world
        world.begin(world.trigger("schedule", trigger_project=None, cron=f"*/{EVERY} * * * * *"))
        (entry,) = world.ledger.registry.snapshot().active
        self.first = entry.since_ms // 1000 // EVERY + 1

    def until(self, number: int) -> list[str]:
        """The ids of all times up to one."""
        return [utc_text(one * EVERY * 1000) for one in range(self.first, number + 1)]

    def all_run(self) -> None:
        """All times up to the one after next run, each once."""
        times = self.until(self.world.ledger.wall_ms() // 1000 // EVERY + 2)
        eventually(lambda: set(self.world.runs()) >= set(times), lambda: self.missing(times))
        assert set(self.world.runs().values()) == {1}

    def missing(self, times: list[str]) -> str:
        return f"{sorted(set(times) - set(self.world.runs()))} run\n{self.world.log()}"


def test_three_beats_and_a_redis_that_is_killed(make_world: Making) -> None:
    world = make_world(workers=3)
    times = Times(world)
    for _ in range(3):
        times.all_run()
        world.kill_redis()
    times.all_run()


def test_all_processes_killed_again_and_again(make_world: Making) -> None:
    world = make_world(workers=3)
    times = Times(world)
    for _ in range(4):
        times.all_run()
        world.workers.kill_all()
    times.all_run()


def test_an_emptied_redis_goes_on_from_what_the_service_task_keeps(make_world: Making) -> None:
    """Nothing is launched again; the times that came while nobody knew of the schedule are made up for."""
    world = make_world(workers=2)
    times = Times(world)
    times.all_run()
    for _ in range(2):
        world.kill_redis(world.delete_append_only_file)
        world.register()
        times.all_run()
