"""The schedule sends one message for all that is due to a queue at once; a minute has few, however many stages tick."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from celery import Celery

from triggers.base.settings import Settings, settings
from triggers.stages.table import STAGES


class Sent(Celery):  # type: ignore[misc]
    """Keeps what would be sent."""

    def send_task(self, name: str, args: Any = None, kwargs: Any = None, **options: Any) -> None:
        self.sent.append((name, tuple(args or ()), options["queue"]))


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
    made.setup_schedule()
    yield made
    celery.close()
    settings.cache_clear()


def run(schedule: Any, monkeypatch: pytest.MonkeyPatch, *, seconds: float, late: float = 0.0) -> list[Any]:
    """What is sent while the schedule looks whenever it is to look, or so much later."""
    now, until = 1000.0, 1000.0 + seconds
    while now < until:
        monkeypatch.setattr("workers.schedule.time.monotonic", lambda now=now: now)
        now += schedule.tick() + late
    return list(schedule.app.sent)


@pytest.mark.parametrize("late", [0.0, 0.0003, 0.03])
def test_a_minute_has_one_message_a_second_and_those_of_notices(
    schedule: Any, monkeypatch: pytest.MonkeyPatch, late: float
) -> None:
    sent = run(schedule, monkeypatch, seconds=60, late=late)
    assert Counter(queue for _, _, queue in sent) == {"poll": 60, "dispatch": 4}
    ticks = Counter(stage for name, also, _ in sent for stage in (name.rpartition(".")[2], *also))
    assert ticks == {"poll": 60, "clock": 60, "reconcile": 30, "sync": 12, "notify": 8}
    assert {name for name, _, queue in sent if queue == "poll"} == {"triggers.poll"}, "the first of the stages"


def test_with_what_workers_send_themselves_these_are_less_than_two_for_each_poll(schedule: Any) -> None:
    """Of a single scheduler with polls every second, and one worker for each role."""
    from workers.watchdog import SEND_SECONDS

    paces = {(queue, stage.seconds(Settings())) for stage in STAGES for queue in stage.queues}
    finest = {queue: min(seconds for of, seconds in paces if of == queue and seconds) for queue in ("poll", "dispatch")}
    assert {of for of, seconds in paces if seconds} == set(finest), "no other queue has ticks"
    assert sum(1 / seconds for seconds in finest.values()) + 3 / SEND_SECONDS <= 2


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
