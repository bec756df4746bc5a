"""A user's script: triggers, and `start()`; the one import decides whose."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from tests.benchmarks.server import Server

STARTED = "started"

SCRIPT = """
import sys, time
from {package} import TriggerScheduler

scheduler = TriggerScheduler(
    pooling_frequency_minutes=1 / 60, force_create_task_project="DevOps", force_create_task_name="triggers"
)
for number in range({triggers}):
    scheduler.add_task_trigger(
        schedule_task_id="{base}", schedule_queue="default", name=f"on failure {{number}}",
        trigger_on_status=["failed"], trigger_name=f"^run {{number}} ",
        task_parameters={{"Args/source": "${{task.id}}"}},
    )
print("started", time.time(), flush=True)
scheduler.start()
"""


@contextmanager
def running(of: Server, package: str, triggers: int, folder: Path) -> Iterator[subprocess.Popen[str]]:
    """The script at work, with so many triggers, each on failures of ClearML tasks named `run <number> ...`."""
    base = of.call("tasks.create", name="base", type="training")["id"]
    with running_text(of, SCRIPT.format(package=package, triggers=triggers, base=base), folder) as process:
        yield process


@contextmanager
def running_text(of: Server, text: str, folder: Path) -> Iterator[subprocess.Popen[str]]:
    """Any script at work."""
    script = folder / "script.py"
    script.write_text(text)
    environment = {**of.env(), "HOME": str(folder), "CLEARML_CACHE_DIR": str(folder / "cache")}
    environment["TRIGGERS_STATE_FOLDER"] = str(folder / "state")
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, str(script)], cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=log, text=True,
            bufsize=1,
        )  # fmt: skip
    try:
        yield process
    finally:
        family = tree(process.pid)
        for one in family:
            one.kill()
        psutil.wait_procs(family)
        process.wait()
        if process.stdout:
            process.stdout.close()


def tree(pid: int) -> list[psutil.Process]:
    """A process and everything below it."""
    top = psutil.Process(pid)
    return [top, *top.children(recursive=True)]
