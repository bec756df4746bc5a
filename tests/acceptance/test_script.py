"""A user's own script: it needs nothing installed, ends with everything it started, and goes on where it ended."""

from __future__ import annotations

import signal
import sys
import time

import pytest

from tests.acceptance.conftest import Desk, eventually

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_a_second_run_goes_on_where_the_first_ended(desk: Desk, how: signal.Signals) -> None:
    began = time.monotonic()
    first = desk.script()
    early = desk.fail_task()
    eventually(lambda: desk.launched_for() == {early: 1}, "the first launch")
    start_seconds = time.monotonic() - began
    assert len(desk.processes()) >= 3, "script, child, Redis"
    began = time.monotonic()
    first.send_signal(how)
    first.wait(60)
    eventually(lambda: not desk.processes(), "all processes ended")
    assert time.monotonic() - began < 10 + start_seconds
    while_down = desk.fail_task()
    desk.script()
    late = desk.fail_task()
    eventually(lambda: len(desk.launched_for()) == 3, "what happened meanwhile, and what happens now")
    assert desk.launched_for() == {early: 1, while_down: 1, late: 1}


def test_a_killed_script_leaves_no_process_and_loses_nothing(desk: Desk) -> None:
    script = desk.script()
    first = desk.fail_task()
    eventually(lambda: desk.launched_for() == {first: 1}, "the first launch")
    assert desk.processes()
    second = desk.fail_task()
    script.kill()
    eventually(lambda: not desk.processes(), "no process is left", told=desk.processes)
    desk.script()
    eventually(lambda: len(desk.launched_for()) == 2, "the second launch")
    assert desk.launched_for() == {first: 1, second: 1}


def test_a_users_own_workers_module_does_not_stand_in_for_ours(desk: Desk) -> None:
    for name in ("workers.py", "celery.py"):
        desk.write(name, "raise SystemExit('the module of the user was imported')")
    desk.script()
    failed = desk.fail_task()
    eventually(lambda: desk.launched_for() == {failed: 1}, "a launch")
    assert "the module of the user" not in desk.output()


def test_the_stages_run_wherever_workers_are_started(desk: Desk, redis_url: str) -> None:
    url = {"TRIGGERS_REDIS_URL": redis_url}
    celery = [sys.executable, "-m", "celery", "-A", "workers"]
    for role in ("poll", "match", "dispatch"):
        desk.run(*celery, "worker", "-Q", role, "-n", f"{role}@%h", "--loglevel", "WARNING", **url)
    desk.run(*celery, "beat", "--loglevel", "WARNING", "--schedule", str(desk.folder / "beat"), **url)
    desk.script(**url)
    failed = [desk.fail_task() for _ in range(5)]
    eventually(lambda: len(desk.launched_for()) == 5, "five launches")
    assert desk.launched_for() == dict.fromkeys(failed, 1)


@pytest.mark.sandbox_control
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_script_ends_also_where_the_clearml_server_has_gone_away(desk: Desk, number: signal.Signals) -> None:
    script = desk.script()
    desk.sandbox.control.fault("drop")
    script.send_signal(number)
    assert script.wait(60) in (130, 143, -15, -2)  # some 20: the SDK would go on for many minutes
    eventually(lambda: not desk.processes(), "all processes ended")
    assert "the ClearML server gave no answer at the end" in desk.output()
    assert "Traceback" not in desk.output()
