"""What an agent needs of a service task: this package among the requirements, and the arguments of the script."""

from __future__ import annotations

import signal
import sys
from typing import Any

import pytest

from tests.acceptance.conftest import Desk, desk, eventually
from tests.integration.service.test_processes import _task

__all__ = ["desk"]

pytestmark = pytest.mark.slow

#: The import of `argparse` stands below ours, as formatters sort them where ours is not a third party.
SCRIPT = """
    from {package} import TriggerScheduler
    import argparse, os

    parser = argparse.ArgumentParser()
    parser.add_argument("--project", default="Default")
    arguments = parser.parse_args()
    print("PROJECT", arguments.project, flush=True)
    scheduler = TriggerScheduler(
        pooling_frequency_minutes=1 / 60, force_create_task_project="DevOps", force_create_task_name="triggers"
    )
    scheduler.add_task_trigger(schedule_task_id=os.environ["BASE"], schedule_queue="default", name="on failure",
        trigger_on_status=["failed"], task_parameters={{"Args/source": "${{task.id}}"}})
    scheduler.{start}
"""
EDITABLE = "clearml-triggers == 0.1.0"


def service(desk: Desk) -> dict[str, Any]:
    """The one service task."""
    query = {"type": ["service"], "only_fields": ["id"], "search_hidden": True}
    found = desk.client.call("tasks.get_all", query)["tasks"]
    assert len(found) <= 1
    return _task(desk, found[0]["id"]) if found else {}


def requirements(desk: Desk) -> list[str]:
    text = service(desk).get("script", {}).get("requirements", {}).get("pip") or ""
    return [line for line in text.splitlines() if line and not line.startswith("#")]


@pytest.mark.parametrize("package", ["triggers", "clearml_triggers"])
def test_an_agent_finds_the_package_and_the_arguments_as_they_were_edited(desk: Desk, package: str) -> None:
    desk.call("queues.create", name="services")
    script = str(desk.write("mine.py", SCRIPT.format(package=package, start="start_remotely()")))
    local = desk.run(sys.executable, script, "--project", "Local")
    assert local.wait(60) == 0, desk.output()
    assert EDITABLE in requirements(desk)
    assert desk.output().count("which other machines do not have; an agent will look for") == 1
    assert "set TRIGGERS_PACKAGE to where agents get it" in desk.output()

    task = service(desk)
    assert task["status"] == "queued"
    assert task["hyperparams"]["Args"]["project"]["value"] == "Local"
    edited = {"section": "Args", "name": "project", "value": "Edited", "type": "str"}
    desk.call("tasks.edit_hyper_params", task=task["id"], hyperparams=[edited], force=True)
    queue = desk.call("queues.get_all", name="^services$")["queues"][0]["id"]
    assert desk.call("queues.get_next_task", queue=queue)["entry"]["task"] == task["id"]
    desk.call("tasks.started", task=task["id"])
    as_agent = {"CLEARML_TASK_ID": task["id"], "TRAINS_TASK_ID": task["id"], "CLEARML_WORKER_ID": "agent:1"}
    run = desk.run(sys.executable, script, **as_agent)
    eventually(desk._registered, "it polls on the agent", told=desk.output, seconds=90)
    failed = desk.fail_task()
    eventually(lambda: desk.launched_for() == {failed: 1}, "a launch", told=desk.output)
    assert "PROJECT Edited" in desk.output()
    assert EDITABLE in requirements(desk), "and it stays"
    run.send_signal(signal.SIGTERM)
    run.wait(60)


def test_a_task_that_was_started_here_can_be_cloned_for_an_agent(desk: Desk) -> None:
    script = str(desk.write("mine.py", SCRIPT.format(package="triggers", start="start()")))
    desk.run(sys.executable, script, TRIGGERS_PACKAGE="git+https://git.example/r.git@v1")
    wanted = "clearml-triggers @ git+https://git.example/r.git@v1"
    eventually(lambda: wanted in requirements(desk), "the line", told=desk.output)
    assert "which other machines do not have" not in desk.output()


def test_workers_own_task_has_it_as_well(desk: Desk, redis_url: str) -> None:
    """`register` leaves a service task without a process of its own."""
    desk.environment["TRIGGERS_REDIS_URL"] = redis_url
    script = str(desk.write("mine.py", SCRIPT.format(package="triggers", start="register()")))
    assert desk.run(sys.executable, script).wait(60) == 0, desk.output()
    assert EDITABLE in requirements(desk)


def test_a_wrong_setting_sends_nothing_away(desk: Desk) -> None:
    desk.call("queues.create", name="services")
    script = str(desk.write("mine.py", SCRIPT.format(package="triggers", start="start_remotely()")))
    assert desk.run(sys.executable, script, TRIGGERS_PACKAGE="another==1").wait(60) == 2, desk.output()
    assert "clearml-triggers: TRIGGERS_PACKAGE='another==1': give a requirement of clearml-triggers" in desk.output()
    assert "Traceback" not in desk.output()
    assert not desk.call("queues.get_all", name="^services$")["queues"][0]["entries"]
