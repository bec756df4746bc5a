"""A script's first lines: a problem with the ClearML server is one line with a fix, and exit code 2."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from triggers.sandbox import Sandbox

CONNECTS = """
from triggers import TriggerScheduler
from clearml import Task
scheduler = TriggerScheduler(1 / 60)
Task.current_task().connect({"rate": 0.5}, name="Own")
assert scheduler._task is Task.current_task()
"""

STARTS = """
from triggers import TriggerScheduler
scheduler = TriggerScheduler(1 / 60)
scheduler.add_task_trigger(name="any", schedule_function=print, trigger_on_status=["failed"])
scheduler.start()
"""

PARSES = """
import argparse, sys
from triggers import TriggerScheduler
parser = argparse.ArgumentParser()
parser.add_argument("--limit", type=int, default=7)
arguments = parser.parse_args()
scheduler = TriggerScheduler(1 / 60, force_create_task_name="parses")
print("LIMIT", arguments.limit, flush=True)
"""


def environment(folder: Path, **variables: str) -> dict[str, str]:
    own = {
        name: value for name, value in os.environ.items() if not name.startswith(("CLEARML_", "TRAINS_", "TRIGGERS_"))
    }
    return own | {"HOME": str(folder), "TRIGGERS_STATE_FOLDER": str(folder / "state")} | variables


def run(folder: Path, script: str, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", script, *arguments],
        cwd=folder,
        env=environment(folder, **variables),
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize(
    ("made", "said"),
    [
        ("TriggerScheduler(force_create_task_name='ab')", "force_create_task_name='ab': "),
        ("TriggerScheduler(force_create_task_name='')", "force_create_task_name='': give a name or None"),
        ("TriggerScheduler(force_create_task_project=5)", "force_create_task_project=5: give a name or None"),
        ("TriggerScheduler('often')", "pooling_frequency_minutes='often': give a number of minutes"),
        ("TaskScheduler(0)", "sync_frequency_minutes=0: give more than 0 minutes"),
        ("TaskScheduler(force_create_task_name='ab')", "give a longer name or None"),
    ],
)
def test_a_wrong_argument_of_the_constructor_is_one_line(tmp_path: Path, made: str, said: str) -> None:
    done = run(tmp_path, f"from triggers import TaskScheduler, TriggerScheduler\n{made}")
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert said in line


@pytest.mark.parametrize("script", [CONNECTS, STARTS])
def test_without_credentials_one_line_says_what_to_set(tmp_path: Path, script: str) -> None:
    done = run(tmp_path, script)
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert "no ClearML credentials in the environment or clearml.conf: run `clearml-init`" in line


@pytest.mark.parametrize("script", [CONNECTS, STARTS])
def test_a_wrong_secret_is_one_line_that_names_the_server(tmp_path: Path, script: str) -> None:
    with Sandbox() as sandbox:
        done = run(tmp_path, script, **sandbox.env() | {"CLEARML_API_SECRET_KEY": "wrong"})
        assert sandbox.control.counts().get("tasks.create", 0) == 0
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert "refused the credentials (access key" in line
    assert sandbox.url.partition("//")[2] in line


def test_a_dead_server_is_named_at_once_and_waited_for(tmp_path: Path) -> None:
    dead = {"CLEARML_API_HOST": "http://127.0.0.1:9", "CLEARML_API_ACCESS_KEY": "a", "CLEARML_API_SECRET_KEY": "b"}
    script = subprocess.Popen(
        [sys.executable, "-c", STARTS], env=environment(tmp_path, **dead), stderr=subprocess.PIPE, text=True
    )
    try:
        assert script.stderr is not None
        lines = [script.stderr.readline() for _ in range(2)]
    finally:
        script.kill()
        script.communicate()
    assert "127.0.0.1:9" in lines[0]
    assert "retrying for up to 2 minutes" in lines[0]
    assert lines[1].startswith("triggers: still retrying after 10 s")


@pytest.mark.parametrize("script", [CONNECTS, STARTS])
def test_a_server_that_takes_no_calls_for_an_hour_is_named_at_once(tmp_path: Path, script: str) -> None:
    with Sandbox() as sandbox:
        sandbox.control.fault("busy", retry_after=3600)
        done = run(tmp_path, script, **sandbox.env())
        assert sum(sandbox.control.counts().values()) <= 2
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert "the ClearML server refuses calls now: auth.login at " in line
    assert "429/0: Too many requests; the server refuses calls for 3600 s. Start the script again in 60 min" in line


def test_a_server_that_takes_no_calls_for_a_moment_is_asked_again(tmp_path: Path) -> None:
    with Sandbox() as sandbox:
        sandbox.control.fault("busy", times=2)
        done = run(tmp_path, CONNECTS, **sandbox.env())
    assert done.returncode == 0, done.stderr
    first = done.stderr.splitlines()[0]
    assert first.endswith("the server refuses calls for 2 s; retrying for up to 2 minutes")


def test_an_error_in_the_script_keeps_its_traceback(tmp_path: Path) -> None:
    done = run(tmp_path, "from triggers import TriggerScheduler\nTriggerScheduler()\nraise LookupError('mine')")
    assert done.returncode == 1
    assert "Traceback" in done.stderr
    assert "LookupError: mine" in done.stderr


@pytest.mark.parametrize("line", ["None.append(1)", "''.connect({})", "Task.conect", "raise AttributeError('connect')"])
def test_an_attribute_error_of_the_script_keeps_its_traceback_without_credentials(tmp_path: Path, line: str) -> None:
    done = run(tmp_path, f"from triggers import TriggerScheduler\nfrom clearml import Task\nTriggerScheduler()\n{line}")
    assert done.returncode == 1
    assert "Traceback" in done.stderr
    assert "AttributeError: " in done.stderr
    assert "no ClearML credentials" not in done.stderr


def test_a_wrong_argument_is_one_line(tmp_path: Path) -> None:
    done = run(tmp_path, "from triggers import TriggerScheduler\nTriggerScheduler().add_task_trigger(name='x')")
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith("clearml-triggers: trigger 'x': schedule_task_id=None")


def test_the_current_task_is_there_after_the_constructor(tmp_path: Path) -> None:
    with Sandbox() as sandbox:
        done = run(tmp_path, CONNECTS, **sandbox.env())
        (task,) = sandbox.client().call("tasks.get_all", {"name": "^Scheduler$", "only_fields": ["hyperparams"]})[
            "tasks"
        ]
    assert done.returncode == 0, done.stderr
    assert task["hyperparams"]["Own"]["rate"]["value"] == "0.5"


def test_arguments_parsed_before_the_constructor_are_recorded_and_come_back_on_an_agent(tmp_path: Path) -> None:
    with Sandbox() as sandbox:
        client = sandbox.client()
        first = run(tmp_path, PARSES, "--limit", "11", **sandbox.env())
        (task,) = client.call("tasks.get_all", {"name": "^parses$", "only_fields": ["hyperparams", "id"]})["tasks"]
        assert task["hyperparams"]["Args"]["limit"]["value"] == "11", first.stderr
        edit = {"section": "Args", "name": "limit", "value": "23"}
        client.call("tasks.reset", {"task": task["id"], "force": True})
        client.call("tasks.edit_hyper_params", {"task": task["id"], "hyperparams": [edit]})
        client.call("tasks.started", {"task": task["id"], "force": True})
        as_agent = {"CLEARML_TASK_ID": task["id"], "TRAINS_TASK_ID": task["id"]}
        again = run(tmp_path, PARSES, **sandbox.env() | as_agent)
    assert "LIMIT 23" in again.stdout, again.stderr
