"""What a type checker tells a user of the wheel: where a mistake is, and nothing of what works."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.integration.packaging.installation import REPOSITORY, Installation

Installed = Callable[[str], Installation]

pytestmark = [pytest.mark.xdist_group("shipped"), pytest.mark.timeout(900)]

#: Each line with `ignore` is a mistake of that kind: a comment that ignores nothing is an error, too.
SCRIPT = """
from datetime import datetime, timedelta

from clearml_triggers import TaskScheduler as SameTaskScheduler
from clearml_triggers.actions import Tag as SameTag
from clearml_triggers.testing import check as same_check
from triggers import FiringInfo, TaskScheduler, TriggerScheduler
from triggers.actions import Abort, Comment, Enqueue, Notify, Publish, SetMetadata, Tag, Webhook
from triggers.sandbox import Sandbox
from triggers.testing import Simulation, check, launch, schedule, task
from triggers import TriggerSchedular  # type: ignore[attr-defined]
from triggers.actions import Webhok  # type: ignore[attr-defined]
from triggers.sandbox import Sandpit  # type: ignore[attr-defined]

def of_id(object_id: str) -> None: ...
def of_firing(object_id: str, firing: FiringInfo) -> None: ...
def of_firing_alone(firing: FiringInfo) -> None: ...
def of_nothing() -> None: ...
def of_a_number(number: int) -> None: ...

scheduler = TriggerScheduler(pooling_frequency_minutes=0.1)
scheduler.add_task_trigger(name="a", schedule_function=of_id, trigger_on_status=["failed"], fire="on_transition")
scheduler.add_model_trigger(name="b", schedule_function=of_firing, actions=[Tag(["seen"]), Publish()])
scheduler.add_dataset_trigger(name="c", schedule_task_query={"project": "P", "name": "n"}, schedule_queue="default")
scheduler.add_model_trigger(name="d", schedule_function=of_nothing)  # type: ignore[arg-type]
scheduler.add_model_trigger(name="e", schedule_function=of_a_number)  # type: ignore[arg-type]
scheduler.add_task_trigger(name="f", trigger_on_status=["faild"])  # type: ignore[list-item]
scheduler.add_task_trigger(name="g", fire="twice")  # type: ignore[arg-type]
scheduler.add_task_trigger(name="h", trigger_on_tag=["a"])  # type: ignore[call-arg]
scheduler.add_model_trigger(name="i", schedule_task_query={"id": "4f2a"})  # type: ignore[arg-type]
scheduler.add_model_trigger(name="j", actions=["tag"])  # type: ignore[list-item]

scheduler.add_schedule(name="a", schedule_function=of_nothing, every=timedelta(hours=1))
scheduler.add_schedule(name="b", schedule_function=of_id, at=datetime(2030, 1, 1), catch_up="none")
scheduler.add_schedule(name="c", schedule_function=of_firing, weekdays=["monday"], hour=6)
times = TaskScheduler()
times.add_task(name="a", schedule_function=of_firing_alone, minute=5)
times.add_task(name="b", queue="default", weekdays=["mo"])  # type: ignore[list-item]
times.add_task(name="c", schedule_function=of_a_number)  # type: ignore[arg-type]
times.add_task(name="d", schedule_queue="default")  # type: ignore[call-arg]

Tag(add=["a"], remove=["b"], on="launched")
Tag(added=["a"])  # type: ignore[call-arg]
Tag(["a"], on="clone")  # type: ignore[arg-type]
Notify("env:CHANNEL", text="failed", level="failure")
Notify("env:CHANNEL", level="bad")  # type: ignore[arg-type]
Notify()  # type: ignore[call-arg]
Webhook("https://hooks.example.com", secret="env:KEY", headers={"Accept": "text/plain"}, body={"id": ["${object.id}"]})
Webhook("https://hooks.example.com", headers=["Accept"])  # type: ignore[arg-type]
Comment(5)  # type: ignore[arg-type]
SetMetadata({"stage": "production", "checked": True, "score": 0.5})
SetMetadata({"stage": None})  # type: ignore[dict-item]
SetMetadata({"stage": "production"}, on="launched")  # type: ignore[arg-type]
Enqueue()  # type: ignore[call-arg]
Abort("why", on="dataset")  # type: ignore[arg-type]

fires: list[str] = check(scheduler, task(status="failed", metrics={("loss", "train"): 0.5})).fires
fired: list[str] = [one.trigger for one in Simulation(scheduler).see(schedule("a"))]
body: str = launch(scheduler, "c", task())  # type: ignore[assignment]
with Sandbox() as sandbox:
    sandbox.control.fault("drop", "tasks.clone", when="after")
    sandbox.control.fault("dorp")  # type: ignore[arg-type]
    sandbox.agent("default", ["fail", "complete"])
    sandbox.agent("default", "fails")  # type: ignore[arg-type]
"""


def mypy(installation: Installation, folder: Path, *files: Path | str) -> subprocess.CompletedProcess[str]:
    options = ["--strict", "--config-file", "", "--cache-dir", str(folder / "cache"), "--hide-error-context"]
    command = [sys.executable, "-m", "mypy", *options, "--python-executable", str(installation.python), *files]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_mistakes_are_found_and_nothing_else(installed: Installed, tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(SCRIPT)
    done = mypy(installed("newest"), tmp_path, "script.py")
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_example_has_types_that_fit(installed: Installed, tmp_path: Path) -> None:
    """Whether what else they import has types is not for us to say."""
    examples = sorted((REPOSITORY / "examples").glob("*.py"))
    done = mypy(installed("newest"), tmp_path, "--disable-error-code", "import-untyped", *examples)
    assert done.returncode == 0, done.stdout + done.stderr
