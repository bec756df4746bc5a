"""A machine that sleeps for a night, and clocks set back and forward by hours: what real processes launch of schedules.

Every process is stopped, Redis' clock among them is set forward, and all go on: so a suspended machine looks to them.
"""

from __future__ import annotations

import signal
import sys
import textwrap
import time
from collections import Counter

import psutil
import pytest

from tests.acceptance.conftest import Desk, desk, eventually
from tests.clocks.stepping import SteppedClock
from triggers.local.redis_server import PrivateRedis
from triggers.rules.schedules.zones import utc_text

__all__ = ["desk"]

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

HOUR = 3600
SCRIPT = """
    import os
    from triggers import TaskScheduler

    scheduler = TaskScheduler(force_create_task_project="DevOps", force_create_task_name="Schedules")
    for catch_up in ("all", "last", "none"):
        scheduler.add_task(
            name=catch_up, schedule_task_id=os.environ["BASE"], queue="default", cron="0 * * * *", catch_up=catch_up,
            task_parameters={"Args/source": catch_up + " ${schedule.id}"},
        )
    scheduler.add_task(
        name="pulse", schedule_task_id=os.environ["BASE"], queue="default", cron="* * * * * *", catch_up="none",
        task_parameters={"Args/source": "pulse"},
    )
    scheduler.start()
"""


def hours(since: float, until: float) -> list[str]:
    """The ids of the full hours later than a time and not later than another."""
    return [utc_text(hour * HOUR * 1000) for hour in range(int(since // HOUR) + 1, int(until // HOUR) + 1)]


def launched(desk: Desk, schedule: str) -> Counter[str]:
    """How often each time of a schedule was launched."""
    found = desk.launched_for()
    return Counter(
        {at: n for source, n in found.items() for name, _, at in [source.partition(" ")] if name == schedule}
    )


def made_up_for(desk: Desk, times: list[str]) -> None:
    """All of these times were launched, and then each of them once, and no other."""
    eventually(lambda: set(launched(desk, "all")) >= set(times), f"{times} run", told=lambda: launched(desk, "all"))
    beats(desk)
    assert launched(desk, "all") == Counter(times)
    assert launched(desk, "last")[times[-1]] == 1
    assert set(launched(desk, "last").values()) == {1}


def beats(desk: Desk) -> None:
    """Some times of the schedule of each second are launched from now on."""
    before = desk.launched_for()["pulse"]
    eventually(lambda: desk.launched_for()["pulse"] > before + 3, "seconds go on", told=desk.output)


def suspend(desk: Desk, redis: psutil.Process, clock: SteppedClock, ahead: int) -> None:
    """Let all processes sleep until their clocks are so much ahead."""
    sleeping = [*desk.processes(), redis]
    for process in sleeping:
        process.send_signal(signal.SIGSTOP)
    clock.set(ahead)
    for process in reversed(sleeping):
        process.send_signal(signal.SIGCONT)


def test_a_night_of_suspension_and_clocks_set_back_and_forward(
    desk: Desk, stepped_redis: PrivateRedis, clock: SteppedClock
) -> None:
    """Two beats, two workers of each role."""
    environment = {"TRIGGERS_REDIS_URL": stepped_redis.url, **clock.environ}
    celery = [sys.executable, "-m", "celery", "-A", "workers"]
    for number in range(2):
        name = f"worker-{number}@%h"
        desk.run(*celery, "worker", "-Q", "poll,match,dispatch", "-n", name, "--loglevel", "WARNING", **environment)
        desk.run(*celery, "beat", "--schedule", str(desk.folder / f"beat-{number}"), **environment)
    began = time.time()
    desk.run(sys.executable, str(desk.write("schedules.py", textwrap.dedent(SCRIPT))), **environment)
    beats(desk)
    assert stepped_redis.pid is not None
    redis = psutil.Process(stepped_redis.pid)
    suspend(desk, redis, clock, 8 * HOUR)
    made_up_for(desk, hours(began, time.time() + 8 * HOUR))
    assert len(launched(desk, "none")) <= 1, "none but one that fell into the test itself"
    for ahead in (2 * HOUR, 8 * HOUR):
        clock.set(ahead)
        beats(desk)
    made_up_for(desk, hours(began, time.time() + 8 * HOUR))
    clock.set(-3 * HOUR)  # before the registration, which counts as of now then
    began = time.time() - 3 * HOUR
    beats(desk)
    for ahead in (8 * HOUR, 9 * HOUR):
        clock.set(ahead)
        made_up_for(desk, hours(began, time.time() + ahead))
