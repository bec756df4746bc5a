"""The schedule sends one message for all that is due to a queue at once, and few while workers tick by themselves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any
from unittest.mock import Mock

import pytest
import redis

from tests.unit.roles.ticking_world import DELIVERY, Counted, FakeWorker, Sent, World
from triggers.base.settings import Settings, settings
from triggers.stages.table import STAGES

#: How often the stages tick, by queue.
TICKS = {
    "poll": {"poll": 1.0, "clock": 1.0, "reconcile": 2.0, "sync": 5.0, "notify": 15.0},
    "dispatch": {"notify": 15.0},
}


@pytest.fixture
def schedule(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setenv("TRIGGERS_REDIS_URL", "redis://localhost:1/0")
    settings.cache_clear()
    from workers.app import configuration
    from workers.schedule import Schedule

    celery = Sent("schedule", set_as_current=False)
    celery.sent = []
    celery.conf.update(configuration(Settings(redis_url="redis://localhost:1/0")))
    made = Schedule(celery, lazy=True)
    made._redis = Counted()  # type: ignore[assignment]
    made.setup_schedule()
    yield made
    celery.close()
    settings.cache_clear()


@pytest.fixture
def world(schedule: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[..., World]:
    """Makes a world of that schedule, with some workers of each queue that ticks."""

    def make(workers: int = 1) -> World:
        made = World(schedule, schedule._redis, workers)
        for module in ("schedule", "stints"):
            monkeypatch.setattr(f"workers.{module}.time.monotonic", lambda: made.now)
        return made

    return make


def ticking(world: World) -> FakeWorker:
    """The worker that ticks by itself for the queue `poll`."""
    (found,) = (one for one in world.up("poll") if world.counted.kept["poll"][0] == one.name)
    return found


def run(schedule: Any, monkeypatch: pytest.MonkeyPatch, *, seconds: float, late: float = 0.0) -> list[Any]:
    """What is sent while the schedule looks whenever it is to look, or so much later, and no worker goes on."""
    now, until = 1000.0, 1000.0 + seconds
    while now < until:
        monkeypatch.setattr("workers.schedule.time.monotonic", lambda now=now: now)
        now += schedule.tick() + late
    return list(schedule.app.sent)


@pytest.mark.parametrize("late", [0.0, 0.0003, 0.03])
def test_a_minute_has_one_message_a_second_and_those_of_notices_if_no_worker_goes_on(
    schedule: Any, monkeypatch: pytest.MonkeyPatch, late: float
) -> None:
    sent = run(schedule, monkeypatch, seconds=60, late=late)
    assert Counter(queue for _, _, queue in sent) == {"poll": 60, "dispatch": 4}
    ticks = Counter(stage for name, also, _ in sent for stage in (name.rpartition(".")[2], *also))
    assert ticks == {"poll": 60, "clock": 60, "reconcile": 30, "sync": 12, "notify": 8}
    assert {name for name, _, queue in sent if queue == "poll"} == {"triggers.poll"}, "the first of the stages"


def test_these_are_the_queues_and_stages_that_tick() -> None:
    rows = {(queue, row.name, row.seconds(Settings())) for row in STAGES for queue in row.queues if row.every}
    assert rows == {(queue, name, pace) for queue, paces in TICKS.items() for name, pace in paces.items()}


@pytest.mark.parametrize("workers", [1, 3])
@pytest.mark.parametrize("poll_seconds", [1, 5, 20, 30])
def test_a_single_scheduler_has_less_than_two_messages_a_poll_at_any_pace(
    world: Callable[..., World], poll_seconds: int, workers: int
) -> None:
    at_rest = world(workers)
    at_rest.run(599.5)
    assert at_rest.messages == {"poll": 20, "dispatch": 10}
    from workers.watchdog import SURE_SECONDS

    to_themselves = 3 * 600 / SURE_SECONDS  # of a worker for each role
    assert at_rest.messages.total() + to_themselves <= 2 * 600 / poll_seconds


@pytest.mark.parametrize("workers", [1, 3])
def test_rounds_begin_as_often_as_with_a_message_for_each(world: Callable[..., World], workers: int) -> None:
    at_rest = world(workers)
    at_rest.run(600.5)
    for stage, pace in TICKS["poll"].items():
        times = [*at_rest.begun[stage], at_rest.now]
        assert max(after - before for before, after in pairwise(times)) <= pace + 2 * DELIVERY
    assert len(at_rest.begun["poll"]) <= 600 + 2 * at_rest.messages["poll"], "and hardly more often"


def test_a_worker_that_dies_delays_no_tick_by_a_second_and_all_stages_begin_again(
    world: Callable[..., World],
) -> None:
    at_rest = world(2)
    at_rest.run(10.6)
    ticking(at_rest).is_up = False
    last = at_rest.begun["poll"][-1]
    at_rest.begun.clear()
    at_rest.run(2.0)
    assert set(at_rest.begun) >= set(TICKS["poll"])
    assert at_rest.begun["poll"][0] - last < 2
    assert at_rest.messages["poll"] == 2
    at_rest.run(17)
    assert at_rest.messages["poll"] == 2, "the other one goes on"


def test_a_worker_that_ends_says_so(world: Callable[..., World]) -> None:
    at_rest = world(2)
    at_rest.run(10.6)
    ticking(at_rest).ends()
    at_rest.begun.clear()
    at_rest.run(0.5)
    assert set(at_rest.begun) >= set(TICKS["poll"]), "beat knows it at its next look"


@pytest.mark.parametrize("why", ["is_busy", "leaves_alone"])
def test_a_worker_that_others_could_help_leaves_each_tick_to_a_message(world: Callable[..., World], why: str) -> None:
    at_rest = world(2)
    for worker in at_rest.workers:
        setattr(worker, why, True)
    at_rest.run(30)
    assert at_rest.messages["poll"] >= 30
    for worker in at_rest.workers:
        setattr(worker, why, False)
    at_rest.run(30)
    before = at_rest.messages["poll"]
    at_rest.run(20)
    assert at_rest.messages["poll"] <= before + 1


def test_what_a_round_found_is_shown_in_flower_within_seconds(world: Callable[..., World]) -> None:
    at_rest = world()
    at_rest.run(12.5)
    (worker,) = at_rest.up("poll")
    worker.has_news = True
    at_rest.run(2.5)
    assert not worker.has_news
    assert at_rest.messages["poll"] == 2


def test_while_redis_is_away_nothing_is_lost_but_time(world: Callable[..., World]) -> None:
    at_rest = world()
    at_rest.run(10.5)
    at_rest.counted.is_away = True
    at_rest.run(20)
    at_rest.counted.is_away = False
    at_rest.begun.clear()
    at_rest.run(1.0)
    assert set(at_rest.begun) >= {"poll", "clock", "reconcile", "sync"}
    at_rest.run(2.0)
    at_rest.counted.kept.clear()  # and where it comes back empty
    at_rest.begun.clear()
    at_rest.run(1.0)
    assert set(at_rest.begun) >= set(TICKS["poll"])


def test_beat_sends_each_tick_where_the_place_of_the_count_is_something_else(
    schedule: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuses(*_: object) -> None:
        raise redis.ResponseError("WRONGTYPE")

    for name in ("open", "counts"):
        monkeypatch.setattr(schedule._redis, name, refuses)
    sent = run(schedule, monkeypatch, seconds=15)
    assert Counter(queue for _, _, queue in sent) == {"poll": 15, "dispatch": 1}


def test_where_a_replica_refuses_it_beat_sends_each_tick_and_looks_for_the_primary(
    schedule: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuses(*_: object) -> None:
        raise redis.exceptions.ReadOnlyError("You can't write against a read only replica.")

    connections = Mock()
    schedule._redis.client = Mock(connection_pool=connections)
    monkeypatch.setattr(schedule._redis, "open", refuses)
    assert Counter(queue for _, _, queue in run(schedule, monkeypatch, seconds=3)) == {"poll": 3, "dispatch": 1}
    connections.disconnect.assert_called_with(inuse_connections=False)


def test_whom_there_is_to_serve_is_read_only_for_a_tick_that_is_due(world: Callable[..., World]) -> None:
    at_rest = world()
    at_rest.run(600.5)
    (worker,) = at_rest.up("dispatch")
    assert worker.reads <= len(at_rest.begun["notify"]) + at_rest.messages["dispatch"]
    assert worker.reads < 600 / 10, "though it counts a tick each second"


def test_after_a_pause_all_come_together_again_and_none_is_made_up_for(
    schedule: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(schedule, monkeypatch, seconds=3)
    schedule.app.sent.clear()
    for now in (1061.4, 1062.0, 1063.0, 1064.0, 1065.0):
        monkeypatch.setattr("workers.schedule.time.monotonic", lambda now=now: now)
        schedule.tick()
    polls = [also for name, also, _ in schedule.app.sent if name == "triggers.poll"]
    assert polls == [
        ("clock", "reconcile", "sync", "notify"),
        ("clock", "reconcile"),
        ("clock",),
        ("clock", "reconcile"),
        ("clock", "sync"),
    ]


def test_a_stage_that_ticks_more_often_than_polls_has_messages_of_its_own(
    schedule: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    schedule.schedule["reconcile"].schedule = type("Half", (), {"seconds": 0.5})()
    sent = run(schedule, monkeypatch, seconds=2)
    assert [name for name, _, queue in sent if queue == "poll"] == [
        "triggers.poll",
        "triggers.reconcile",
        "triggers.poll",
        "triggers.reconcile",
    ]
