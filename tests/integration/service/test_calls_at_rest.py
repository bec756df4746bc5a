"""A real script with the real SDK: what it asks the server at rest, and how it ends when it is aborted."""

from __future__ import annotations

import sys
import time
from collections import Counter

import pytest

from tests.acceptance.conftest import Desk, desk, eventually
from tests.integration.service.test_processes import program, service_tasks

__all__ = ["desk"]

pytestmark = [pytest.mark.slow, pytest.mark.sandbox_control]


def serving(desk: Desk) -> str:
    """Start a script; the id of its service task once it serves."""
    desk.run(
        sys.executable,
        program(desk, "resting.py", "resting = made()\nresting.sync_frequency_minutes = 15\nresting.start()"),
    )
    eventually(lambda: desk._registered(), "it serves", told=desk.output)
    return str(service_tasks(desk)[-1]["id"])


def test_the_monitor_of_the_sdk_is_silent(desk: Desk) -> None:
    """It asks for the task's status every two seconds otherwise."""
    serving(desk)
    eventually(lambda: desk.sandbox.control.counts().get("tasks.get_all_ex", 0) >= 10, "it polls", told=desk.output)
    before, began = Counter(desk.sandbox.control.counts()), time.monotonic()
    eventually(lambda: time.monotonic() - began > 30, "half a minute at rest")
    made = Counter(desk.sandbox.control.counts()) - before
    assert made["tasks.get_all"] <= 4, made  # two renewals of the lease; the monitor alone makes 15
    assert made["tasks.ping"] <= 2, made


def test_an_aborted_service_task_ends_the_script(desk: Desk) -> None:
    task = serving(desk)
    desk.call("tasks.stopped", task=task, force=True)
    script = desk.started[0]
    assert script.wait(30) == 1, desk.output()
    assert "was aborted" in desk.output()
    (found,) = desk.call("tasks.get_all", id=[task])["tasks"]
    assert found["status"] == "stopped"
