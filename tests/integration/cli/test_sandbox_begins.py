"""From `sandbox --seed` to a first firing: what it prints is typed into a shell in an empty folder."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from tests.eventually import eventually
from triggers.sandbox import running_env
from triggers.sandbox.client import Client

VERB = [sys.executable, "-m", "triggers", "sandbox"]
SECONDS = 60.0


@pytest.fixture
def environment(tmp_path):
    kept = {n: v for n, v in os.environ.items() if not n.startswith(("CLEARML_", "TRAINS_", "TRIGGERS_", "CELERY_"))}
    path = f"{Path(sys.executable).parent}{os.pathsep}{kept['PATH']}"
    return kept | {"PATH": path, "XDG_RUNTIME_DIR": str(tmp_path), "HOME": str(tmp_path), "NO_PROXY": "127.0.0.1"}


@pytest.fixture
def port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def test_what_seed_prints_fires_when_it_is_typed(environment, port, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    empty = tmp_path / "empty"
    empty.mkdir()
    command = [*VERB, "--port", str(port), "--seed"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as server:
        try:
            said = ""
            while "Look at" not in said:
                said += server.stdout.readline()
                assert server.poll() is None
            typed = re.search(r"^(\. |eval ).*?^python first\.py$", said, re.S | re.M)[0]
            with (tmp_path / "log").open("w") as log:
                shell = subprocess.Popen(
                    ["bash", "-c", typed], cwd=empty, env=environment, stdout=log, stderr=log, start_new_session=True
                )
            try:
                env = running_env(f"http://127.0.0.1:{port}")
                with Client(
                    env["CLEARML_API_HOST"], env["CLEARML_API_ACCESS_KEY"], env["CLEARML_API_SECRET_KEY"]
                ) as client:
                    eventually(lambda: launched(client) or shell.poll() is not None, "it fires", seconds=200)
                    assert shell.poll() is None, (tmp_path / "log").read_text()
                    sources = launched(client)
                    source = client.call("tasks.get_by_id", {"task": sources[0]})["task"]
                assert source["status"] == "failed"
            finally:
                os.killpg(shell.pid, signal.SIGINT)
                shell.wait(60)
            page = re.search(r"http\S+/projects/\w+", said)[0]
            assert "retrain" in requests.get(page, timeout=60).text
        finally:
            server.terminate()


def launched(client: Client) -> list[str]:
    """The objects that the launched clones were given."""
    tasks = client.call("tasks.get_all_ex", {"name": "retrain", "size": 500})["tasks"]
    tasks = [client.call("tasks.get_by_id", {"task": one["id"]})["task"] for one in tasks]
    values = [one.get("hyperparams", {}).get("Args", {}).get("source", {}).get("value") for one in tasks]
    return [value for value in values if value]


def test_env_with_nothing_there_says_so_at_once(environment, port):
    done = subprocess.run(
        [*VERB, "--port", str(port), "--env"], env=environment, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (1, "")
    [line] = done.stderr.splitlines()
    assert f"no sandbox of this user runs at 127.0.0.1:{port}" in line


def test_the_demo_stays_up_to_be_explored_and_ends_with_ctrl_c(environment, tmp_path):
    command = [sys.executable, "-m", "triggers", "demo", "--rounds", "1", "--keep"]
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as demo:
        said = ""
        while "clearml-triggers history" not in said:
            said += demo.stderr.readline()
            assert demo.poll() is None, said
        typed = re.search(r"^eval.*?^clearml-triggers list$", said, re.S | re.M)[0]
        listed = subprocess.run(
            ["bash", "-ec", typed],
            env=environment,
            capture_output=True,
            text=True,
            cwd=tmp_path,
            check=True,
        )
        assert "candidate" in listed.stdout
        page = re.search(r"http\S+/projects", said)[0]
        assert "Demo" in requests.get(page, timeout=60).text
        demo.send_signal(signal.SIGINT)
        assert demo.wait(60) == 0
