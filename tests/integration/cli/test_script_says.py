"""A script that runs says what it does: what it watches, then a line per launch and failure; nothing when quiet."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from tests.eventually import eventually
from triggers.sandbox import Sandbox

SCRIPT = """
import os
from triggers import TriggerScheduler

def broken(object_id):
    raise LookupError("nothing there")

scheduler = TriggerScheduler(1 / 60, force_create_task_name="says", force_create_task_project="Saying")
scheduler.add_task_trigger(
    schedule_task_id=os.environ["BASE"], schedule_queue="default", name="again", trigger_on_status=["failed"]
)
scheduler.add_task_trigger(schedule_function=broken, name="broken", trigger_on_status=["failed"])
scheduler.start()
"""


@contextmanager
def running(folder: Path, sandbox: Sandbox, **variables: str) -> Iterator[Callable[[], str]]:
    """The script; what it has printed so far."""
    client = sandbox.client()
    base = client.call("tasks.create", {"name": "base task", "type": "training"})["id"]
    own = {"HOME": str(folder), "TRIGGERS_STATE_FOLDER": str(folder / "state"), "BASE": base}
    said = folder / "said.txt"
    with open(said, "w") as output:
        script = subprocess.Popen(
            [sys.executable, "-c", SCRIPT],
            env=os.environ | sandbox.env() | own | variables,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        wait_for(lambda: sandbox.control.counts().get("tasks.get_all_ex", 0) > 1, said.read_text)
        id_ = client.call("tasks.create", {"name": "run \x1b[31m7", "type": "training"})["id"]
        client.call("tasks.started", {"task": id_})
        client.call("tasks.failed", {"task": id_})
        yield said.read_text
    finally:
        script.terminate()
        script.wait(60)


wait_for = partial(eventually, seconds=60.0)


def queued(sandbox: Sandbox) -> list[str]:
    (queue,) = sandbox.client().call("queues.get_all", {"name": "^default$", "only_fields": ["entries"]})["queues"]
    return [one["task"] for one in queue["entries"]]


def test_a_script_says_what_it_watches_and_what_happens(tmp_path: Path) -> None:
    with Sandbox() as sandbox, running(tmp_path, sandbox) as said:
        wait_for(lambda: "launched" in said() and "failed:" in said(), said)
        lines = said().splitlines()
        (launched,) = queued(sandbox)
    assert "triggers: Saying/says polls every 1 s" in lines
    assert "triggers: task triggers: 'again', 'broken'" in lines
    assert any(line.startswith(f"triggers: state in the folder {tmp_path / 'state'}") for line in lines)
    (launch,) = [line for line in lines if "'again' launched: " in line]
    assert "task 'run \\x1b[31m7' (" in launch
    assert f"ClearML task {launched} http" in launch
    assert any("'broken' failed: " in line and "nothing there" in line for line in lines)


@pytest.mark.parametrize("quiet", ["1", "true"])
def test_a_quiet_script_says_nothing_of_it(tmp_path: Path, quiet: str) -> None:
    with Sandbox() as sandbox, running(tmp_path, sandbox, TRIGGERS_QUIET=quiet) as said:
        wait_for(lambda: queued(sandbox), said)
    assert "launched" not in said()
    assert "polls every" not in said()
