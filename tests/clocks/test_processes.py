"""Wall clocks of real processes step by hours: a beat's, a worker's, those of local mode's script, child and Redis."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.acceptance.conftest import Desk, desk, eventually
from tests.clocks.stepping import SteppedClock

__all__ = ["desk"]

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

HOUR = 3600
#: Forward and back, far and near; the last is the right time again.
STEPS = (-2 * HOUR, 3 * HOUR, -20 * HOUR, 0)
PACE_SECONDS = 1.0


def polls(desk: Desk) -> int:
    return int(desk.sandbox.control.counts("clearml-triggers").get("tasks.get_all_ex", 0))


def step(desk: Desk, clocks: Iterable[SteppedClock], ahead: int, launched: int) -> list[str]:
    """Set the clocks while a failed attempt waits for the next; the two objects that were launched then."""
    control = desk.sandbox.control
    control.fault("error", "tasks.clone", times=1)
    waiting = desk.fail_task()
    eventually(lambda: control.faults()[-1]["hits"], "an attempt fails", told=desk.output)
    for clock in clocks:
        clock.set(ahead)
    began, before = time.monotonic(), polls(desk)
    eventually(lambda: polls(desk) > before + 2, "polls go on", told=desk.output)
    then = desk.fail_task()
    eventually(lambda: len(desk.launched_for()) == launched + 2, "both", told=desk.output)
    took = time.monotonic() - began
    assert polls(desk) - before <= took / PACE_SECONDS + 3, "no storm of polls"
    control.clear_faults()
    return [waiting, then]


def launched_while_clocks_step(desk: Desk, clocks: Iterable[SteppedClock], steps: Iterable[int] = STEPS) -> None:
    """After each step polls go on at their pace, what waits is tried again in time, and nothing fires twice."""
    failed, clocks = [desk.fail_task()], list(clocks)
    eventually(lambda: len(desk.launched_for()) == 1, "the launch before", told=desk.output)
    for ahead in steps:
        failed += step(desk, clocks, ahead, len(failed))
    assert desk.launched_for() == dict.fromkeys(failed, 1)


def test_the_clock_of_a_local_mode_machine(desk: Desk, tmp_path: Path) -> None:
    clock = SteppedClock(tmp_path)
    desk.script(**clock.environ)
    launched_while_clocks_step(desk, [clock])


def test_a_local_mode_script_that_starts_after_its_clock_was_set_back(desk: Desk, tmp_path: Path) -> None:
    """What Redis holds lies in the future then: due times, leases, and who serves."""
    clock = SteppedClock(tmp_path)
    clock.set(5 * HOUR)
    script = desk.script(**clock.environ)
    first = desk.fail_task()
    eventually(lambda: desk.launched_for() == {first: 1}, "the first launch")
    script.kill()
    eventually(lambda: not desk.processes(), "all processes ended")
    clock.set(0)
    meanwhile = desk.fail_task()
    desk.script(**clock.environ)
    last = desk.fail_task()
    eventually(lambda: len(desk.launched_for()) == 3, "what changed meanwhile, and now", told=desk.output)
    assert desk.launched_for() == {first: 1, meanwhile: 1, last: 1}


@pytest.mark.parametrize("whose", ["beat", "poll", "dispatch", "all"])
def test_the_clocks_of_beats_and_workers(desk: Desk, tmp_path: Path, redis_url: str, whose: str) -> None:
    """Two beats, of which one ticks, and a worker of each role; of one role, or each, a clock goes elsewhere."""
    roles = ("poll", "match", "dispatch", "beat-1", "beat-2", "script")
    clocks, url = SteppedClock.of_each(roles, tmp_path), {"TRIGGERS_REDIS_URL": redis_url}
    celery = [sys.executable, "-m", "celery", "-A", "workers"]
    for role in ("poll", "match", "dispatch"):
        command = [*celery, "worker", "-Q", role, "-n", f"{role}@%h", "--loglevel", "WARNING"]
        desk.run(*command, **url, **clocks[role].environ)
    for name in ("beat-1", "beat-2"):
        desk.run(*celery, "beat", "--schedule", str(desk.folder / name), **url, **clocks[name].environ)
    desk.script(**url, **clocks["script"].environ)
    stepped = [clock for role, clock in clocks.items() if whose == "all" or role.startswith(whose)]
    launched_while_clocks_step(desk, stepped, STEPS if whose == "all" else STEPS[:2])
