"""Rows of docs/differences.md about declaring and registering, held against the original on one server."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable

import pytest
from clearml.automation import trigger as sdk

from tests.integration.differential.conftest import CLEARED
from tests.integration.differential.pair import Pair
from triggers import TriggerScheduler
from triggers.base.errors import InvalidTrigger
from triggers.client.checks import missing
from triggers.sandbox import Sandbox

THEIRS = """
from clearml.automation import TriggerScheduler
task = TriggerScheduler(**arguments)._task
print("is", task.get_project_name(), "/", task.name)
import time; time.sleep(60)
"""
OURS = """
from triggers.client.service_task import obtain
task = obtain(arguments.get("force_create_task_name"), arguments.get("force_create_task_project"))
print("is", task.project, "/", task.name)
import time; time.sleep(60)
"""
GIVEN = {"force_create_task_name": "watch", "force_create_task_project": "Ops"}
CURRENT = "from clearml import Task; Task.init('Running', 'here', auto_connect_frameworks=False)\n"


@pytest.mark.parametrize(
    ("before", "arguments", "named"),
    [
        pytest.param("", {}, "DevOps / Scheduler", id="default"),
        pytest.param("", GIVEN, "Ops / watch", id="given"),
        pytest.param(CURRENT, {}, "Running / here", id="running already"),
    ],
)
def test_the_service_task_is_the_originals(server: Sandbox, before: str, arguments: dict[str, str], named: str) -> None:
    env = {name: value for name, value in os.environ.items() if name not in CLEARED} | server.env()
    running = [
        subprocess.Popen(
            [sys.executable, "-uc", f"{before}arguments = {arguments}\n{code}"],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=env,
            start_new_session=True,  # with the process that the SDK forks for its reports
        )
        for code in (THEIRS, OURS)
    ]
    said = [next(line for line in process.stdout or () if line.startswith("is ")) for process in running]
    for process in running:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        assert process.stdout is not None
        process.stdout.close()
    assert said == [f"is {named}\n"] * 2


def test_what_is_missing_on_the_server_is_reported_at_registration(new_pair: Callable[[], Pair]) -> None:
    world = new_pair().world
    gone = "0" * 31 + "1"
    triggers = [
        world.trigger(name="fine"),
        world.trigger(name="project", trigger_project="nowhere"),
        world.trigger(name="queue", action={"queue": "nowhere"}),
        world.trigger(name="base", action={"base_task_id": gone}),
    ]
    said = missing(world.api, triggers)
    assert [text.partition(":")[0] for text in said] == ["trigger 'project'", "trigger 'queue'", "trigger 'base'"]
    assert all("until" in text for text in said), "each says what happens"


BASE = {"base_task_id": "b", "queue": "q", "name": "t"}


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ({"match_name": "["}, {"trigger_name": "["}),
        ({"value_sign": "max"}, {"trigger_on_sign": "max"}),
        ({"tags": ["-old"]}, {"trigger_on_tags": ["-old"]}),
        ({"clone_task": False, "task_parameters": {"a/b": 1}}, {"reuse_task": True, "task_parameters": {"a/b": 1}}),
        ({"base_function": print}, {"schedule_function": print}),
        ({"task_overrides": {"no such part": 1}}, {"task_overrides": {"no such part": 1}}),
    ],
)
def test_what_the_original_takes_and_fails_on_later_is_refused_at_once(
    theirs: dict[str, object], ours: dict[str, object]
) -> None:
    sdk.TaskTrigger(**BASE, **theirs).verify()
    with pytest.raises(InvalidTrigger):
        TriggerScheduler().add_task_trigger("b", "q", name="t", **ours)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ({"queue": None}, {"schedule_queue": None}),
        ({"base_task_id": None}, {"schedule_task_id": None}),
        ({"threshold": 1.0}, {"trigger_on_threshold": 1.0}),
        ({"on_status": ["flying"]}, {"trigger_on_status": ["flying"]}),
        ({"value_sign": "MAX"}, {"trigger_on_sign": "MAX"}),
    ],
)
def test_what_the_original_refuses_is_refused(theirs: dict[str, object], ours: dict[str, object]) -> None:
    with pytest.raises(ValueError):
        sdk.TaskTrigger(**{**BASE, **theirs}).verify()
    add = {"schedule_task_id": "b", "schedule_queue": "q", "name": "t", **ours}
    with pytest.raises(InvalidTrigger):
        TriggerScheduler().add_task_trigger(**add)  # type: ignore[arg-type]
