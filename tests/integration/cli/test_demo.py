"""The real thing: `clearml-triggers demo` as a process, in a home of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.eventually import eventually

#: How long the demo may take on a machine that runs other tests beside it.
LONGEST_SECONDS = 250


class Demo:
    """A running demo; everything it starts carries a variable of its own in its environment."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self.home, self.temporary = folder / "home", folder / "tmp"
        self.home.mkdir()
        self.temporary.mkdir()
        self.mark = f"DEMO_UNDER_TEST={folder}"
        own = {"HOME": str(self.home), "TMPDIR": str(self.temporary), "DEMO_UNDER_TEST": str(folder)}
        # what a user has set for his own server and Redis is none of the demo's business
        users = {"CLEARML_API_HOST": "http://127.0.0.1:1", "TRIGGERS_REDIS_URL": "redis://127.0.0.1:1/0"}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "triggers", "demo", *arguments],
            env=os.environ | own | users,
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def result(self) -> tuple[int, str, str]:
        out, err = self.process.communicate(timeout=LONGEST_SECONDS)
        return self.process.returncode, out, err

    def processes(self) -> list[psutil.Process]:
        """Everything alive that it started: found by the environment, since children have sessions of their own."""
        found = []
        for process in psutil.process_iter():
            try:
                if process.environ().get("DEMO_UNDER_TEST") == self.mark.partition("=")[2]:
                    found.append(process)
            except psutil.Error:
                continue
        return [process for process in found if process.status() != psutil.STATUS_ZOMBIE]

    def files(self) -> list[Path]:
        return [*self.home.rglob("*"), *self.temporary.rglob("*")]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[list[Demo]]:
    demos: list[Demo] = []
    yield demos
    for demo in demos:
        for process in demo.processes():
            process.kill()
        demo.process.communicate()


def test_demo_launches_every_change_once_and_leaves_nothing(start: list[Demo], tmp_path: Path) -> None:
    start.append(demo := Demo(tmp_path, "--json", "--rounds", "1"))

    code, out, err = demo.result()

    assert code == 0, err
    result = json.loads(out.splitlines()[-1])
    assert (result["expected"], result["launched"]) == (5, 5)
    fired = {(each["trigger"], each["kind"]) for each in result["firings"]}
    assert fired == {
        ("retry", "task"),
        ("accuracy", "task"),
        ("candidate", "model"),
        ("new-data", "dataset"),
        ("evaluate", "task"),
    }
    assert len({each["task_id"] for each in result["firings"]}) == 5
    assert len({each["object_id"] for each in result["firings"]}) == 5
    assert all(0 <= each["latency_ms"] < 30_000 for each in result["firings"])
    assert "5 changes, 5 launches" in err
    assert demo.files() == []
    assert demo.processes() == []


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["Ctrl-C", "SIGTERM"])
def test_interrupted_demo_leaves_nothing(start: list[Demo], tmp_path: Path, number: signal.Signals, code: int) -> None:
    start.append(demo := Demo(tmp_path))
    eventually(
        lambda: list(demo.temporary.glob("*/state/*/redis.sock")) or len(demo.processes()) >= 4, "the demo comes up"
    )
    demo.process.send_signal(number)
    ended, _, err = demo.result()

    assert ended == code
    assert "Traceback" not in err
    assert demo.files() == []
    assert demo.processes() == []
