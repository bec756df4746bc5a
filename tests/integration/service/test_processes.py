"""Real scripts with the real SDK: which process serves, threads, sessions without a script, registration."""

from __future__ import annotations

import json
import signal
import sys
from typing import Any

import pytest

from tests.acceptance.conftest import Desk, desk, eventually
from triggers.model.launch_tags import SERVICE
from triggers.sync.saved_state import PROPERTY

__all__ = ["desk"]

pytestmark = pytest.mark.slow

SCRIPT = """
    import os, threading
    from triggers import TriggerScheduler

    def made(**more):
        scheduler = TriggerScheduler(
            pooling_frequency_minutes=1 / 60, sync_frequency_minutes=1 / 60,
            force_create_task_project="DevOps", force_create_task_name="triggers",
        )
        scheduler.add_task_trigger(
            schedule_task_id=os.environ["BASE"], schedule_queue="default", name="on failure",
            trigger_on_status=["failed"], task_parameters={"Args/source": "${task.id}"}, **more
        )
        return scheduler
"""


def program(desk: Desk, name: str, text: str) -> str:
    import textwrap

    return str(desk.write(name, textwrap.dedent(SCRIPT) + textwrap.dedent(text)))


def service_tasks(desk: Desk) -> list[dict[str, Any]]:
    tasks = desk.call("tasks.get_all", name="^triggers$", order_by=["created"], search_hidden=True)["tasks"]
    return [task for task in tasks if any(tag.startswith(SERVICE) for tag in task["system_tags"])]


def output_of(desk: Desk, process: Any) -> str:
    return (desk.folder / f"output {desk.started.index(process)}.txt").read_text()


@pytest.mark.sandbox_control
def test_one_process_serves_an_equal_one_takes_over_and_others_are_refused(desk: Desk) -> None:
    same = program(desk, "same.py", "made().start()")
    first = desk.run(sys.executable, same)
    eventually(lambda: desk._registered(), "the first is home")
    second = desk.run(sys.executable, same)
    other = desk.run(sys.executable, program(desk, "other.py", "made(trigger_on_tags=['x']).start()"))
    elsewhere = desk.run(sys.executable, same, TRIGGERS_STATE_FOLDER=str(desk.folder / "elsewhere"))
    eventually(lambda: "standing by" in output_of(desk, second), "the second stands by", told=desk.output)
    assert f"process {first.pid} on" in output_of(desk, second)
    told = ["the scheduler DevOps/triggers is served", "same.py", "other.py", str(first.pid)]
    for refused, names in ((other, told), (elsewhere, ["already serves the scheduler DevOps/triggers", "redis.sock"])):
        assert refused.wait(60) == 2
        said = output_of(desk, refused)
        assert str(refused.pid) in said
        assert all(name in said for name in names), said
    first.kill()
    failed = desk.fail_task()
    eventually(
        lambda: desk.launched_for() == {failed: 1},
        "the second takes over",
        told=lambda: str(desk.sandbox.control.counts()) + str(desk.call("queues.get_all")) + desk.output(),
    )
    assert second.poll() is None


def test_start_in_a_thread_works_and_a_second_start_says_why_not(desk: Desk) -> None:
    text = """
    import time
    thread = threading.Thread(target=made().start, daemon=True)
    thread.start()
    from triggers.client import election
    while not election._here:
        time.sleep(0.05)
    try:
        made().start()
    except ValueError as error:
        print("REFUSED", error, flush=True)
    thread.join()
    """
    desk.run(sys.executable, program(desk, "threads.py", text))
    eventually(lambda: "REFUSED" in desk.output(), "the second start", told=desk.output)
    assert "already runs in this process" in desk.output()
    eventually(desk._registered, "the first start polls", told=desk.output)
    failed = desk.fail_task()
    eventually(lambda: desk.launched_for() == {failed: 1}, "the first start serves", told=desk.output)


def test_a_session_without_a_script_inside_a_task_of_its_own(desk: Desk) -> None:
    """As in a notebook: no file of the main module, the code comes on standard input."""
    text = """
    import os
    from clearml import Task
    Task._report_subprocess_enabled = False
    task = Task.init(project_name="Mine", task_name="my notebook", auto_resource_monitoring=False)
    from triggers import TriggerScheduler
    scheduler = TriggerScheduler(pooling_frequency_minutes=1 / 60)
    scheduler.add_task_trigger(schedule_task_id=os.environ["BASE"], schedule_queue="default", name="on failure",
        trigger_on_status=["failed"], task_parameters={"Args/source": "${task.id}"})
    scheduler.start()
    """
    import textwrap

    process = desk.run(sys.executable, "-c", textwrap.dedent(text))
    eventually(lambda: desk._registered(), "it is home", told=desk.output)
    failed = desk.fail_task()
    eventually(lambda: desk.launched_for() == {failed: 1}, "a launch", told=desk.output)
    (mine,) = desk.call("tasks.get_all", name="^my notebook$", search_hidden=True)["tasks"]
    assert mine["status"] == "in_progress"
    eventually(lambda: "tasks" in _task(desk, mine["id"])["configuration"], "its sections")
    process.send_signal(signal.SIGINT)
    process.wait(60)
    assert PROPERTY in _task(desk, mine["id"])["runtime"]


def test_register_leaves_a_usable_service_task_behind(desk: Desk, redis_url: str) -> None:
    script = program(desk, "register.py", "made().register(); print('REGISTERED', flush=True)")
    for number in (1, 2):
        process = desk.run(sys.executable, script, TRIGGERS_REDIS_URL=redis_url)
        assert process.wait(60) == 0, desk.output()
        tasks = service_tasks(desk)
        assert [task["status"] for task in tasks] == ["completed"] * (number - 1) + ["in_progress"]
    (item,) = json.loads(_task(desk, tasks[-1]["id"])["configuration"]["tasks"]["value"])
    assert item["name"] == "on failure"
    events = desk.call("events.get_task_events", task=tasks[-1]["id"], event_type="plot")["events"]
    assert {event["metric"] for event in events} >= {"Task Triggers", "Triggers Executed"}


def _task(desk: Desk, id_: str) -> dict[str, Any]:
    return dict(desk.call("tasks.get_by_id", task=id_)["task"])
