"""Something to begin with: a project with example ClearML tasks, a model, a dataset, a queue with an agent.

A "nightly" ClearML task then fails every few seconds, so that a first trigger has something to fire on.
"""

from __future__ import annotations

import shlex
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .client import Client, Control

PROJECT = "Examples"
#: Seconds between two failures of the example.
FAILS_EVERY_SECONDS = 10.0

_IMPORT = "from triggers import TriggerScheduler"
_SCRIPT = """\
{import_line}

scheduler = TriggerScheduler(pooling_frequency_minutes=0.02)
scheduler.add_task_trigger(
    name="retry",
    trigger_project="{project}",
    trigger_on_status=["failed"],
    schedule_task_id="{base}",  # the ClearML task "retrain"
    schedule_queue="default",
    task_parameters={{"Args/source": "${{task.id}}"}},
)
scheduler.start()
"""


@dataclass(frozen=True)
class Seeded:
    """What is there now, by id."""

    project: str
    base: str


def seed(client: Client, control: Control) -> Seeded:
    """Make the examples."""
    call = client.call
    project = call("projects.create", {"name": PROJECT, "description": "made by --seed"})["id"]
    arguments = {"source": {"section": "Args", "name": "source", "value": "", "type": "str"}}
    base = _task(client, "retrain", project=project, hyperparams={"Args": arguments})
    trained = _task(client, "train", project=project)
    call("tasks.started", {"task": trained})
    call("models.create", {"name": "detector", "uri": "file:///detector.onnx", "project": project, "task": trained})
    call("tasks.completed", {"task": trained})
    images = call("projects.create", {"name": f"{PROJECT}/.datasets/images", "description": ""})["id"]
    dataset = _task(client, "images", project=images, type="data_processing", system_tags=["dataset"])
    call("tasks.started", {"task": dataset})
    call("tasks.completed", {"task": dataset})
    control.agent("default", "complete", run_seconds=1.0)
    return Seeded(project, base)


def keep_failing(client: Client, project: str, ended: threading.Event) -> None:
    """Let a ClearML task of the project fail now and then, until the end."""
    number = 0
    while not ended.wait(FAILS_EVERY_SECONDS):
        number += 1
        task = _task(client, f"nightly {number}", project=project)
        client.call("tasks.started", {"task": task})
        client.call("tasks.failed", {"task": task, "status_reason": "out of memory"})


def next_steps(url: str, port: int, seeded: Seeded) -> list[str]:
    """What to type in a second terminal, in an empty folder."""
    activate = Path(sys.prefix, "bin", "activate")
    inside = sys.prefix != sys.base_prefix and activate.is_file()
    return [
        "",
        "A second terminal, in an empty folder, takes these lines as they are:",
        "",
        *([f". {shlex.quote(str(activate))}"] if inside else []),
        f'eval "$(clearml-triggers sandbox --port {port} --env)"',
        'export TRIGGERS_STATE_FOLDER="$PWD/state"',
        "cat > first.py <<'END'",
        *_SCRIPT.format(import_line=_IMPORT, project=PROJECT, base=seeded.base).splitlines(),
        "END",
        "python first.py",
        "",
        f"A task of {PROJECT} fails every {FAILS_EVERY_SECONDS:g} s; each time, a clone of retrain is launched.",
        f"Look at what is launched: {url}/projects/{seeded.project}",
    ]


def _task(client: Client, name: str, **values: Any) -> str:
    return str(client.call("tasks.create", {"name": name, "type": "training", **values})["id"])
