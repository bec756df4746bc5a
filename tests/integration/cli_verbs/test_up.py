"""`up`: one process tree that serves a file's triggers, repairs itself, and ends on Ctrl-C; shell completion."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests.eventually import eventually
from tests.integration.cli_verbs.conftest import run
from tests.integration.stages.conftest import World
from triggers.base.settings import settings

COMMAND = [sys.executable, "-m", "triggers"]


@pytest.mark.slow
def test_up_serves_a_file_repairs_itself_and_ends(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "triggers.yaml"
    action = f"schedule_task_id: {world.base}, schedule_queue: default"
    file.write_text(f"triggers:\n- {{kind: task, name: retry, trigger_on_status: [failed], {action}}}\n")
    monkeypatch.delenv("TRIGGERS_REDIS_URL")
    monkeypatch.setenv("TRIGGERS_STATE_FOLDER", str(tmp_path / "state"))
    monkeypatch.setenv("TRIGGERS_POLL_SECONDS", "1")
    monkeypatch.setenv("HOME", str(tmp_path))
    settings.cache_clear()
    with (tmp_path / "log").open("w") as log:
        up = subprocess.Popen([*COMMAND, "up", "-f", str(file)], cwd=tmp_path, stdout=log, stderr=log)
    try:
        eventually(lambda: run("status", "--json").code == 0)
        assert run("up").code == 2, "it is served already"
        shown = run("show", "retry", width=200).out
        assert "by triggers.yaml" in shown
        assert "triggers.yaml" in run("status", "--json").json["home"], "the file is home, not a script"
        assert "declared by triggers.yaml" in run("delete", "retry").out
        first = world.fail_task()
        eventually(lambda: run("history", "--object", first, "--what", "launched", "--json").json)
        children = psutil.Process(up.pid).children(recursive=True)
        (worker,) = [child for child in children if "workers.local" in " ".join(child.cmdline())]
        worker.send_signal(signal.SIGKILL)
        second = world.fail_task()
        eventually(lambda: run("history", "--object", second, "--what", "launched", "--json").json)
        eventually(lambda: "1 trigger |" in (tmp_path / "log").read_text())
    finally:
        up.send_signal(signal.SIGINT)
        assert up.wait(60) == 0
    assert run("show", "retry", "--json").json["counts"]["launched"] == 2, "a stopped one can be looked at"
    assert not [p for p in psutil.process_iter(["cmdline"]) if str(tmp_path) in " ".join(p.info["cmdline"] or [])]


@pytest.mark.parametrize(("typed", "offered"), [("li", {"list"}), ("dead r", {"retry"}), ("h", {"history", "holds"})])
def test_a_shell_completes_verbs(typed: str, offered: set[str]) -> None:
    words = f"clearml-triggers {typed}"
    environment = {**os.environ, "_CLEARML_TRIGGERS_COMPLETE": "complete_bash", "COMP_WORDS": words}
    environment["COMP_CWORD"] = str(len(words.split()) - 1)
    done = subprocess.run([*COMMAND], env=environment, capture_output=True, text=True)
    assert set(done.stdout.split()) == offered, json.dumps(done.stderr)
