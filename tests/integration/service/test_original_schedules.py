"""The original's `TaskScheduler`, run for real before ours: its configuration and state load, nothing runs again."""

from __future__ import annotations

import json
import signal
import sys
import textwrap
from collections import Counter
from typing import Any

import pytest

from tests.acceptance.conftest import Desk, desk, eventually
from tests.integration.service.test_processes import output_of
from triggers.sync.originals import read_state
from triggers.sync.sections import read_section

__all__ = ["desk"]

pytestmark = [pytest.mark.slow, pytest.mark.sandbox_control, pytest.mark.timeout(600)]

#: The same declarations, for whichever class is imported.
DECLARED = """
    import functools, os, sys
    if sys.argv[1] == "original":
        from clearml import Task
        Task._report_subprocess_enabled = False
        from clearml.automation import TaskScheduler
    else:
        from triggers import TaskScheduler
    scheduler = TaskScheduler(
        sync_frequency_minutes=1 / 30, force_create_task_project="DevOps", force_create_task_name="Schedules"
    )

    if sys.argv[1] == "original":  # its uploads overtake one another: what is saved last would not be the last state
        upload = scheduler._task.upload_artifact
        scheduler._task.upload_artifact = functools.partial(upload, wait_on_upload=True)

    def add(name, **when):
        when["task_parameters"] = {"Args/source": name}
        scheduler.add_task(schedule_task_id=os.environ["BASE"], queue="default", name=name, **when)

    add("at once", hour=1, execute_immediately=True, single_instance=True, limit_execution_time=1.5)
    add("once", minute=30, execute_immediately=True, recurring=False)
    add("soon", minute=1, recurring=False)
    add("nightly", day=1, hour=22, minute=30)
    add("weekends", hour=2, weekdays=["saturday", "sunday"])
    add("over", year=2020, month=2, day=28)
    add("later", year=2090, month=2, day=28)
    scheduler.start()
"""
RAN = {"at once", "once", "over"}


@pytest.mark.parametrize("state_is_late", [False, True])
def test_the_originals_schedules_go_on_here(desk: Desk, state_is_late: bool) -> None:
    """Also where the state that arrived last is the first one, which knows of no launch: the console has them."""
    script = str(desk.write("switch.py", textwrap.dedent(DECLARED)))
    original = desk.run(sys.executable, script, "original")
    eventually(lambda: ran(desk).keys() == RAN, "the original launches", told=desk.output)
    eventually(lambda: saved(desk).keys() >= RAN, "the original's state", told=desk.output)
    eventually(lambda: console(desk) >= RAN, "the original's console", told=desk.output)
    original.send_signal(signal.SIGKILL)  # it has not launched "soon"
    original.wait(60)
    before = ran(desk)  # of a date that is over, it launches again and again
    assert (before.keys(), before["at once"], before["once"]) == (RAN, 1, 1)
    loads(desk)
    if state_is_late:
        forget_launches(desk)
    ours = desk.run(sys.executable, script, "ours")
    eventually(lambda: ran(desk)["soon"], "what comes after the switch", seconds=100, told=desk.output)
    assert ran(desk) == before + Counter({"soon": 1})
    assert "cannot read" not in output_of(desk, ours)
    assert ours.poll() is None


def loads(desk: Desk) -> None:
    """What the original wrote is read without a problem, and says what was declared."""
    text = service_task(desk)["configuration"]["schedule"]["value"]
    section = read_section("schedule", text, {}, [])
    assert not section.problems
    assert not section.warnings
    read: dict[str, Any] = {trigger.name: trigger for trigger in section.triggers.values()}
    assert list(read) == ["at once", "once", "soon", "nightly", "weekends", "over", "later"]
    assert (read["at once"].hour, read["at once"].execute_immediately) == (1, True)
    assert read["at once"].policy.single_instance
    assert read["at once"].policy.limit_execution_time == 1.5
    assert (read["nightly"].day, read["nightly"].hour, read["nightly"].minute) == (1, 22, 30)
    assert (read["weekends"].weekdays, read["weekends"].hour) == (("saturday", "sunday"), 2)
    assert [name for name, trigger in read.items() if not trigger.recurring] == ["once", "soon"]
    left = read_state(state(desk))
    assert {id_ for id_, one in left.items() if one.tasks} == {f"schedule:{name}" for name in RAN}


def ran(desk: Desk) -> Counter[str]:
    """How often each schedule has launched, by whomever."""
    tasks = desk.call("tasks.get_all", parent=[desk.base], search_hidden=True)["tasks"]
    return Counter(task["hyperparams"]["Args"]["source"]["value"] for task in tasks if task["status"] != "created")


def service_task(desk: Desk) -> dict[str, Any]:
    (found,) = desk.call("tasks.get_all", name="^Schedules$", search_hidden=True)["tasks"]
    return dict(found)


def console(desk: Desk) -> set[str]:
    """The schedules of which the console says that they were launched."""
    events = desk.call("events.get_task_log", task=service_task(desk)["id"], batch_size=5000)["events"]
    return {name for name in RAN for event in events if f"Scheduling Job {name}, Task " in event["msg"]}


def forget_launches(desk: Desk) -> None:
    """Let the saved state be the one that the original saves at its start."""
    body = json.loads(state(desk))
    for job in body["scheduled_jobs"]:
        job |= {"_last_executed": None, "_executed_instances": None, "_schedule_counter": 0}
    files = desk.sandbox.app.files.contents
    for name in [name for name in files if name.rpartition("/")[2] == state_file(desk)]:
        files[name] = json.dumps(body).encode()
    assert not saved(desk)


def state_file(desk: Desk) -> str:
    """The name of the file that the original has saved last."""
    artifacts = service_task(desk).get("execution", {}).get("artifacts", ())
    return next((str(one["uri"]).rpartition("/")[2] for one in artifacts if one["key"] == "state"), "")


def state(desk: Desk) -> str:
    """What the original has saved last."""
    files = {name.rpartition("/")[2]: text for name, text in desk.sandbox.app.files.contents.items()}
    return files.get(state_file(desk), b"{}").decode()


def saved(desk: Desk) -> dict[str, str]:
    """The schedules that the saved state says have run, with when."""
    jobs = json.loads(state(desk)).get("scheduled_jobs", ())
    return {one["name"]: one["_last_executed"] for one in jobs if one.get("_last_executed")}
