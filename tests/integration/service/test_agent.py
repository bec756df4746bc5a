"""`start_remotely`: the service task goes to a queue, and where an agent runs it, `start` goes on from it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.conftest import Desk, desk, eventually
from tests.integration.service.test_processes import _task, program

__all__ = ["desk"]

pytestmark = pytest.mark.slow

REMOTE = """
    import argparse
    parser = argparse.ArgumentParser()
    parser.add_argument("--queues", default="mine")
    parser.add_argument("--loglevel", default="noisy")
    from clearml import Task
    Task._report_subprocess_enabled = False
    task = Task.init(project_name="DevOps", task_name="triggers", task_type=Task.TaskTypes.service,
        reuse_last_task_id=False, auto_resource_monitoring=False)
    print("ARGUMENTS", vars(parser.parse_args()), flush=True)
    scheduler = TriggerScheduler(pooling_frequency_minutes=1 / 60, sync_frequency_minutes=1 / 60)
    scheduler.add_task_trigger(schedule_task_id=os.environ["BASE"], schedule_queue="default", name="on failure",
        trigger_on_status=["failed"], task_parameters={"Args/source": "${task.id}"})
    scheduler.add_task_trigger(schedule_task_id=os.environ["BASE"], schedule_queue="default", name="removed",
        trigger_on_status=["failed"], task_parameters={"Args/source": "${task.id}"})
    scheduler.start_remotely("services")
"""


def send(desk: Desk) -> str:
    """Run the script until it has put its task into the queue; then a person edits that. Returns its id."""
    desk.call("queues.create", name="services")
    local = desk.run(sys.executable, program(desk, "remote.py", REMOTE))
    assert local.wait(60) == 0, desk.output()
    (queue,) = desk.call("queues.get_all", name="^services$")["queues"]
    (entry,) = queue["entries"]
    task = _task(desk, entry["task"])
    assert task["hyperparams"]["Args"]["queues"]["value"] == "mine"
    items = json.loads(task["configuration"]["tasks"]["value"])
    assert [item["name"] for item in items] == ["on failure", "removed"]
    section = {"name": "tasks", "value": json.dumps(items[:1]), "type": "json"}
    desk.call("tasks.edit_configuration", task=task["id"], configuration=[section], force=True)
    return str(task["id"])


def serves(desk: Desk, id_: str) -> None:
    """The configuration of the task counts, not the script's; and the child is not confused by the parameters."""
    eventually(desk._registered, "it polls on the agent", told=desk.output, seconds=90)
    failed = desk.fail_task()
    eventually(lambda: desk.launched_for() == {failed: 1}, "one launch, not two", told=desk.output)
    task = _task(desk, id_)
    assert task["status"] == "in_progress"
    assert [item["name"] for item in json.loads(task["configuration"]["tasks"]["value"])] == ["on failure"]


def test_a_simulated_agent_runs_it_with_parameters_named_like_celerys_options(desk: Desk) -> None:
    id_ = send(desk)
    desk.call("queues.get_next_task", queue=desk.call("queues.get_all", name="^services$")["queues"][0]["id"])
    desk.call("tasks.started", task=id_)
    as_agent = {"CLEARML_TASK_ID": id_, "TRAINS_TASK_ID": id_, "CLEARML_WORKER_ID": "agent:1"}
    run = desk.run(sys.executable, str(desk.folder / "remote.py"), **as_agent)
    serves(desk, id_)
    assert "ARGUMENTS {'queues': 'mine', 'loglevel': 'noisy'}" in desk.output()
    run.send_signal(signal.SIGTERM)
    run.wait(60)


def agent_program() -> str:
    beside = Path(sys.executable).with_name("clearml-agent")
    found = str(beside) if beside.exists() else shutil.which("clearml-agent")
    if not found:
        missing: Any = pytest.fail if os.environ.get("CI") else pytest.skip
        missing("clearml-agent is not installed (pip install -r tests/agent.txt)")
    return str(found)


def test_the_published_agent_runs_it(desk: Desk) -> None:
    agent = agent_program()
    id_ = send(desk)
    root = str(Path(__file__).parents[3])
    settings = {
        "CLEARML_AGENT_SKIP_PIP_VENV_INSTALL": sys.executable,
        "CLEARML_AGENT_SKIP_PYTHON_ENV_INSTALL": "1",
        "PYTHONPATH": root,
    }
    run = desk.run(agent, "daemon", "--queue", "services", "--foreground", "--cpu-only", **settings)
    serves(desk, id_)
    desk.processes()
    run.terminate()
