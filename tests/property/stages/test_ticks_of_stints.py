"""Whatever happens to workers and to Redis, no stage ticks later than if beat had sent each tick, but for one tick."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise, repeat
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.unit.roles.ticking_world import DELIVERY, Counted, Sent, World
from triggers.base.settings import Settings
from triggers.base.settings import settings as cached

PACES = {"poll": 1.0, "clock": 1.0, "reconcile": 2.0, "sync": 5.0, "notify": 15.0}
WORKERS = 3


@pytest.fixture(scope="module")
def made() -> Iterator[Callable[[], World]]:
    patch = pytest.MonkeyPatch()
    patch.setenv("TRIGGERS_REDIS_URL", "redis://localhost:1/0")
    cached.cache_clear()
    from workers.app import configuration
    from workers.schedule import Schedule

    celery = Sent("schedule", set_as_current=False)
    celery.conf.update(configuration(Settings(redis_url="redis://localhost:1/0")))

    def make() -> World:
        celery.sent = []
        schedule = Schedule(celery, lazy=True)
        counted = Counted()
        schedule._redis = counted  # type: ignore[assignment]
        schedule.setup_schedule()
        world = World(schedule, counted, WORKERS)
        for module in ("schedule", "stints"):
            patch.setattr(f"workers.{module}.time.monotonic", lambda: world.now)
        return world

    yield make
    celery.close()
    patch.undo()
    cached.cache_clear()


def _flag(name: str, number: int, value: bool) -> Callable[[World], None]:
    def happen(world: World) -> None:
        setattr(world.up("poll")[number % len(world.up("poll"))], name, value)

    return happen


def _dies(number: int, *, asked: bool) -> Callable[[World], None]:
    def happen(world: World) -> None:
        up = world.up("poll")
        if len(up) > 1:  # one goes on
            one = up[number % len(up)]
            if asked:
                one.ends()
            else:
                one.is_up = False

    return happen


def _forgets(world: World) -> None:
    world.counted.kept.clear()


def _news(number: int) -> Callable[[World], None]:
    return _flag("has_news", number, True)


_NUMBER = st.integers(0, WORKERS - 1)
HAPPENS = st.one_of(
    st.builds(_dies, _NUMBER, asked=st.booleans()),
    st.builds(_flag, st.sampled_from(["is_busy", "leaves_alone"]), _NUMBER, st.booleans()),
    st.builds(_news, _NUMBER),
    st.just(_forgets),
)


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(happens=st.lists(st.tuples(st.floats(0.05, 20), HAPPENS), max_size=12), late=st.floats(0, 0.2))
def test_no_tick_is_later_by_more_than_one(
    made: Callable[[], World], happens: list[tuple[float, Any]], late: float
) -> None:
    """A worker that dies takes the message with it that it was just sent, which costs a tick in either case."""
    world = made()
    world.lateness = repeat(late)
    for seconds, what in happens:
        world.run(seconds)
        what(world)
    world.run(20)
    for stage, pace in PACES.items():
        times = [1000.0, *world.begun[stage], world.now]
        longest = max(after - before for before, after in pairwise(times))
        assert longest <= pace + 2 * (1 + late + DELIVERY), stage
