"""A training script of the real SDK whose loss becomes NaN is aborted by a trigger, and its process ends."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.integration.actions.conftest import declare, ended
from tests.integration.stages.conftest import World
from triggers.actions import Abort

SCRIPT = """
import time
from clearml import Logger, Task

Logger.set_reporting_nan_value(1e30)
Logger.set_reporting_inf_value(1e30)
task = Task.init("Examples", "diverging", auto_connect_frameworks=False, auto_resource_monitoring=False)
logger = task.get_logger()
for step in range(10_000):
    logger.report_scalar("loss", "train", float("nan") if step >= 3 else 1.0, step)
    logger.flush()
    time.sleep(0.2)
"""
SECONDS = 80.0


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.sandbox_control
def test_a_run_whose_loss_is_nan_is_aborted_and_its_process_ends(world: World, tmp_path: Path) -> None:
    condition = {"trigger_on_metric": "loss", "trigger_on_variant": "train", "trigger_on_threshold": 1e30}
    declare(
        world, Abort("${object.name} diverged: ${object.metric[loss/train]}"), trigger_on_status=["in_progress"],
        trigger_on_sign="max", **condition,
    )  # fmt: skip
    script = tmp_path / "train.py"
    script.write_text(SCRIPT)
    own = {name: value for name, value in os.environ.items() if not name.startswith(("CLEARML_", "TRAINS_"))}
    own |= {**world.sandbox.env(), "HOME": str(tmp_path)}
    said = tmp_path / "said.txt"
    with said.open("w") as output:
        run = subprocess.Popen([sys.executable, str(script)], env=own, cwd=tmp_path, stdout=output, stderr=output)
    try:
        deadline = time.monotonic() + SECONDS
        while not ended(world):
            assert time.monotonic() < deadline, said.read_text()
            world.step()
            world.expire_leases()
            world.hints.acts = 1
            world.settle()
            time.sleep(0.2)
        run.wait(SECONDS)  # the SDK looks every 2 s whether its task was stopped, and takes a while to end
    finally:
        run.kill()
        run.wait()
    (task,) = world.call("tasks.get_all", name="^diverging$", only_fields=["status"])["tasks"]
    assert task["status"] == "stopped", said.read_text()
    assert "TASK STOPPED" in said.read_text()
    assert [what for what, _ in ended(world)] == ["launched"], "once"
