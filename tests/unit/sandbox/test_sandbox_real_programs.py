"""The programs that users run, against the sandbox: the SDK and the published agent, each in its own process."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.eventually import eventually

#: what would make the SDK think that it is part of another program, or send it elsewhere
FOREIGN = ("CLEARML_", "TRAINS_", "PYTEST_", "COV_")
SDK_PROGRAM = """
from clearml import Dataset, OutputModel, Task

task = Task.init("demo/tasks", "measured", auto_resource_monitoring=False, auto_connect_streams=False)
task.connect({"lr": 0.1})
task.get_logger().report_scalar("acc", "val", 0.5, iteration=1)
task.upload_artifact("state", {"a": 1}, wait_on_upload=True)
model = OutputModel(task, name="net", tags=["prod"])
model.update_weights(register_uri="file:///data/w.bin")
model.publish()
base = Task.create("demo", "base", repo="https://example.com/r.git", script="job.py")
clone = Task.clone(base.id, name="clone of base")
clone.set_parameter("Args/source", task.id)
Task.enqueue(clone, queue_name="default")
failing = Task.create("demo/tasks", "fails")
failing.mark_started()
failing.mark_failed(status_reason="why", force=True)
data = Dataset.create("tiny", dataset_project="demo")
data.add_files("data.txt")
data.upload(show_progress=False)
data.finalize()
copy = Dataset.get(dataset_name="tiny", dataset_project="demo").get_local_copy()
assert open(copy + "/data.txt").read() == "content"
assert Task.get_task(task_id=task.id).artifacts["state"].get() == {"a": 1}
task.flush(wait_for_uploads=True)
"""


def environment(sandbox, home: Path) -> dict[str, str]:
    """An environment as on a machine with nothing but the settings of the sandbox."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
    return {**kept, **sandbox.env(), "HOME": str(home), "PYTHONWARNINGS": "ignore"}


@pytest.mark.slow
def test_sdk_works_with_tasks_models_and_datasets(sandbox, client, tmp_path):
    (tmp_path / "job.py").write_text(SDK_PROGRAM)
    (tmp_path / "data.txt").write_text("content")
    command = [sys.executable, "job.py"]
    ended = subprocess.run(command, cwd=tmp_path, env=environment(sandbox, tmp_path), capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr[-3000:]
    fields = ["name", "status", "project.name", "system_tags", "hyperparams", "last_metrics"]
    found = {t["name"]: t for t in client.call("tasks.get_all_ex", {"only_fields": fields})["tasks"]}
    assert {name: (task["status"], task["project"]["name"]) for name, task in found.items()} == {
        "measured": ("completed", "demo/tasks"),
        "base": ("created", "demo"),
        "clone of base": ("queued", "demo"),
        "fails": ("failed", "demo/tasks"),
        "tiny": ("completed", "demo/.datasets/tiny"),
    }
    assert "dataset" in found["tiny"]["system_tags"]
    [variant] = next(iter(found["measured"]["last_metrics"].values())).values()
    assert (variant["metric"], variant["variant"], variant["value"]) == ("acc", "val", 0.5)
    [model] = client.call("models.get_all", {"tags": ["prod"]})["models"]
    assert (model["name"], model["ready"], model["uri"]) == ("net", True, "file:///data/w.bin")
    assert not [call for call in sandbox.control.requests() if not call["known"]]


def agent_program() -> str | None:
    """The published agent, if it is installed beside this Python or on PATH."""
    beside = Path(sys.executable).with_name("clearml-agent")
    return str(beside) if beside.exists() else shutil.which("clearml-agent")


@pytest.mark.slow
def test_published_agent_runs_a_task(sandbox, client, tmp_path):
    program = agent_program()
    if program is None:
        if os.environ.get("CI"):
            pytest.fail("clearml-agent is not installed")
        pytest.skip("clearml-agent is not installed")
    script = {"binary": "python3", "repository": "", "entry_point": "hello.py", "working_dir": "."}
    script |= {"diff": "print('hello from the task')\n", "requirements": {"pip": ""}}
    task = client.call("tasks.create", {"name": "hello", "type": "training", "script": script})["id"]
    client.call("tasks.enqueue", {"task": task, "queue_name": "agents"})
    env = environment(sandbox, tmp_path) | {
        "CLEARML_AGENT_SKIP_PIP_VENV_INSTALL": sys.executable,
        "CLEARML_AGENT_SKIP_PYTHON_ENV_INSTALL": "1",
    }

    def status() -> str:
        return client.call("tasks.get_by_id", {"task": task})["task"]["status"]

    command = [program, "daemon", "--queue", "agents", "--foreground", "--cpu-only"]
    with (tmp_path / "agent.log").open("w") as log:
        agent = subprocess.Popen(command, cwd=tmp_path, env=env, stdout=log, stderr=log, start_new_session=True)
        try:
            eventually(lambda: status() in ("completed", "failed", "stopped"), "the task ends", seconds=200)
        finally:
            os.killpg(agent.pid, 15)
            agent.wait(60)
    assert status() == "completed", (tmp_path / "agent.log").read_text()[-3000:]
    lines = client.call("events.get_task_log", {"task": task})["events"]
    assert any("hello from the task" in line["msg"] for line in lines)
