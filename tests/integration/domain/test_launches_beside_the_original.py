"""What a launch makes of a base task, beside what the original's ClearmlJob makes of it on the same server."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from triggers.actions.clearml_task import TaskAction
from triggers.actions.launching.request import launch_request
from triggers.model import make_trigger
from triggers.model.events import Event
from triggers.model.launch_request import BASE_FIELDS
from triggers.model.launch_tags import LaunchTags, is_launch_tag
from triggers.sandbox import Sandbox

ORIGINAL = """
import json, sys
from clearml.automation.job import ClearmlJob
base, cases = json.load(sys.stdin)
made = []
for parameters, overrides, tags in cases:
    job = ClearmlJob(base, parameter_override=parameters, task_overrides=overrides, tags=tags)
    made.append(job.task_id())
print("made", json.dumps(made))
"""

#: (parameters, overrides, tag)
CASES = [
    (None, None, None),
    (None, None, "my tag"),
    ({"Args/lr": 0.5, "Args/new": True, "Other/list": [1, 2], "bare": "x", "Args/n": None}, None, None),
    ({"Args/mixed": [1, "a", None], "Args/deep": {"a": {"b": 1.5}}, "Args/e": "", "General/a.b": 1}, None, None),
    (None, {"script.branch": "dev", "script.entry_point": "b.py"}, None),
    (None, {"container.image": "img:2"}, "t"),
    (None, {"comment": "by trigger", "name": "another name"}, None),
    ({"Args/lr": 1}, {"script.working_dir": "src", "container.arguments": "-e B=2", "type": "testing"}, "t"),
]
#: The API text's own example.
CLEARING = (None, {"script.version_num": None, "script.branch": "main"}, None)
COMPARED = ("name", "type", "comment", "parent", "project", "tags", "script", "container", "hyperparams", "status")


@pytest.fixture(scope="module")
def server():
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def call(server):
    return server.client().call


@pytest.fixture(scope="module")
def base(call):
    def parameter(name, value, **more):
        return {"section": "Args", "name": name, "value": value, **more}

    project = call("projects.create", {"name": "bases", "description": ""})["id"]
    return call(
        "tasks.create",
        {
            "name": "base",
            "type": "training",
            "project": project,
            "comment": "made by hand",
            "tags": ["nightly"],
            "system_tags": ["development"],
            "script": {"repository": "https://example.com/r.git", "branch": "main", "version_num": "abc", "diff": ""},
            "container": {"image": "img:1", "arguments": "-e A=1"},
            "hyperparams": {
                "Args": {
                    "lr": parameter("lr", "0.1", type="float", description="rate"),
                    "n": parameter("n", "3", type="int", description=""),
                }
            },
            "configuration": {"General": {"name": "General", "value": "a = 1", "type": "dict"}},
        },
    )["id"]


@pytest.fixture(scope="module")
def originals(server, call, base):
    cleared = ("CLEARML_TASK_ID", "CLEARML_PROC_MASTER_ID", "TRAINS_TASK_ID", "TRAINS_PROC_MASTER_ID")
    env = {name: value for name, value in os.environ.items() if name not in cleared} | server.env()
    cases = [(parameters, overrides, tag and [tag]) for parameters, overrides, tag in [*CASES, CLEARING]]
    out = subprocess.run(
        [sys.executable, "-c", ORIGINAL],
        input=json.dumps([base, cases]),
        capture_output=True,
        text=True,
        env=env,
        check=True,
    ).stdout
    made = json.loads(next(line for line in out.splitlines() if line.startswith("made "))[5:])
    return [task_of(call, id_) for id_ in made]


def task_of(call, id_):
    return call("tasks.get_by_id", {"task": id_})["task"]


def ours(call, base, parameters, overrides, tag):
    action = TaskAction(base_task_id=base, queue="q", tag=tag, parameters=parameters, overrides=overrides)
    trigger = make_trigger("task", name="t", action=action)
    read = call("tasks.get_all", {"id": [base], "only_fields": list(BASE_FIELDS)})["tasks"][0]
    event = Event(kind="task", id="o1", changed_ms=1)
    request = launch_request(trigger, event, read, LaunchTags.of("s", "f", "a"), None)
    task = call("tasks.clone", request.clone)["id"]
    if request.edit:
        call("tasks.edit", {"task": task, **request.edit})
    return task_of(call, task)


@pytest.mark.parametrize("case", range(len(CASES)))
def test_launched_task_is_the_originals(call, base, originals, case):
    task = ours(call, base, *CASES[case])
    assert {name: task.get(name) for name in COMPARED} == {name: originals[case].get(name) for name in COMPARED}
    assert [tag for tag in task["system_tags"] if not is_launch_tag(tag)] == originals[case]["system_tags"]
    assert {**task["configuration"], "trigger": None} == {**originals[case]["configuration"], "trigger": None}


def test_launched_task_tells_where_it_came_from(call, base):
    task = ours(call, base, None, None, None)
    told = json.loads(task["configuration"]["trigger"]["value"])
    assert (told["trigger"], told["object"], told["firing"]) == ("t", "o1", "f")


def test_cleared_version_is_gone_where_the_original_leaves_it(call, base, originals):
    """The SDK drops None from its edit, and the server merges what is left into the script that is there."""
    script = ours(call, base, *CLEARING)["script"]
    assert (script["branch"], script["version_num"]) == ("main", "")
    assert (originals[-1]["script"]["branch"], originals[-1]["script"]["version_num"]) == ("main", "abc")
