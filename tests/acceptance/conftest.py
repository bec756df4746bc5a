"""A user's script, run as a user would, against a ClearML server."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.eventually import eventually as eventually
from triggers.model.launch_tags import FIRING, value_of
from triggers.sandbox import Sandbox

SCRIPT = """
    import os
    from triggers import TriggerScheduler

    scheduler = TriggerScheduler(
        pooling_frequency_minutes=1 / 60, force_create_task_project="DevOps", force_create_task_name="triggers"
    )
    scheduler.add_task_trigger(
        schedule_task_id=os.environ["BASE"], schedule_queue="default", name="on failure", trigger_on_status=["failed"],
        task_parameters={"Args/source": "${task.id}"},
    )
    scheduler.start()
"""


class Desk:
    """A folder with a script in it, the server it talks to, and every process it started."""

    def __init__(self, sandbox: Sandbox, folder: Path) -> None:
        self.sandbox, self.folder = sandbox, folder
        self.client = sandbox.client("desk")
        self.base = self.call("tasks.create", name="base task", type="training")["id"]
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("TRIGGERS_", "CLEARML_"))},
            **sandbox.env(),
            "HOME": str(folder),
            "BASE": self.base,
            "TRIGGERS_STATE_FOLDER": str(folder / "state"),
            "TRIGGERS_LEASE_SECONDS": "2",
            "CLEARML_CACHE_DIR": str(folder / "cache"),
        }
        self.started: list[subprocess.Popen[str]] = []
        self.seen: set[psutil.Process] = set()

    def call(self, endpoint: str, **body: Any) -> Any:
        return self.client.call(endpoint, body)

    def write(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.write_text(textwrap.dedent(text))
        return path

    def run(self, *command: str, **environment: str) -> subprocess.Popen[str]:
        """Start a program in the folder; its output goes to a file named after it."""
        with open(self.folder / f"output {len(self.started)}.txt", "w") as output:
            process = subprocess.Popen(
                command,
                cwd=self.folder,
                env=self.environment | environment,
                stdout=output,
                stderr=subprocess.STDOUT,
                text=True,
                start_new_session=True,
            )
        self.started.append(process)
        return process

    def script(self, **environment: str) -> subprocess.Popen[str]:
        process = self.run(sys.executable, str(self.write("my_script.py", SCRIPT)), **environment)
        registered = self._registered
        before = registered()
        eventually(lambda: registered() > before, "the script registers and polls: " + self.output())
        return process

    def _registered(self) -> int:
        """Polls that the server has seen."""
        return int(self.sandbox.control.counts().get("tasks.get_all_ex", 0))

    def output(self) -> str:
        return "\n".join(path.read_text() for path in sorted(self.folder.glob("output *.txt")))

    def processes(self) -> list[psutil.Process]:
        """Every process that was started, and theirs, that still runs."""
        for process in self.started:
            if process.poll() is None:
                parent = psutil.Process(process.pid)
                self.seen |= {parent, *parent.children(recursive=True)}
        return [p for p in self.seen if p.is_running() and p.status() != psutil.STATUS_ZOMBIE]

    def fail_task(self) -> str:
        id_ = str(self.call("tasks.create", name="some task", type="training")["id"])
        self.call("tasks.started", task=id_)
        self.call("tasks.failed", task=id_)
        return id_

    def launched_for(self) -> Counter[str]:
        """How often each object was the source of an enqueued ClearML task."""
        (queue,) = self.call("queues.get_all", name="^default$", only_fields=["entries"])["queues"]
        ids = [entry["task"] for entry in queue["entries"]]
        tasks = self.call("tasks.get_all", id=ids)["tasks"] if ids else []
        assert all(value_of(FIRING, task["system_tags"]) for task in tasks)
        return Counter(task["hyperparams"]["Args"]["source"]["value"] for task in tasks)

    def end(self) -> None:
        self.processes()
        for process in self.seen:
            if process.is_running():
                process.kill()
        for started in self.started:
            started.wait(60)
        self.client.close()


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with Sandbox() as sandbox:
        desk = Desk(sandbox, tmp_path)
        yield desk
        desk.end()
