"""How a user's script ends: quietly, soon, with its service task stopped and no process left."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from tests.eventually import eventually
from triggers.sandbox import Sandbox

SCRIPT = """
import signal, sys
# as in the foreground of a terminal, or in the background of a shell without job control
signal.signal(signal.SIGINT, signal.SIG_IGN if sys.argv[1] == "background" else signal.default_int_handler)
from triggers import TriggerScheduler
scheduler = TriggerScheduler(1 / 60, force_create_task_name="ending", force_create_task_project="Ending")
scheduler.add_task_trigger(schedule_function=print, trigger_on_status=["failed"], name="any")
try:
    scheduler.start()
except KeyboardInterrupt as interrupt:
    print("seen by the script", flush=True)
    raise
"""


@pytest.mark.parametrize(
    ("number", "code", "when", "ground"),
    [
        (signal.SIGINT, 130, "serving", "foreground"),
        (signal.SIGTERM, 143, "serving", "foreground"),
        (signal.SIGINT, 130, "registering", "foreground"),
        (signal.SIGTERM, 143, "registering", "foreground"),
        (signal.SIGTERM, 143, "serving", "background"),
        (signal.SIGTERM, 143, "registering", "background"),
    ],
)
def test_script_ends_quietly_with_its_service_task_stopped(
    tmp_path: Path, number: signal.Signals, code: int, when: str, ground: str
) -> None:
    with Sandbox() as sandbox:
        if when == "registering":
            sandbox.control.fault("delay", "tasks.ping", seconds=8)
        own = {"HOME": str(tmp_path), "TRIGGERS_STATE_FOLDER": str(tmp_path / "state")}
        script = subprocess.Popen(
            [sys.executable, "-c", SCRIPT, ground],
            env=os.environ | sandbox.env() | own,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            wait_until_it_is(when, sandbox)
            children = psutil.Process(script.pid).children(recursive=True)
            script.send_signal(number)
            out, err = script.communicate(timeout=60)
        finally:
            script.kill()
        (task,) = sandbox.client().call("tasks.get_all", {"name": "^ending$", "only_fields": ["status"]})["tasks"]

    assert script.returncode == code
    assert "Traceback" not in err
    assert "SecurityWarning" not in err
    assert "Warm shutdown" not in out
    assert "seen by the script" in out
    assert task["status"] == "stopped"
    assert not [child for child in children if child.is_running() and child.status() != psutil.STATUS_ZOMBIE]


@pytest.mark.parametrize("server", ["answers", "has gone"])
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_script_that_waits_for_the_lease_of_another_redis_ends_quietly(
    tmp_path: Path, number: signal.Signals, code: int, server: str
) -> None:
    with Sandbox() as sandbox:

        def started(state: str) -> subprocess.Popen[str]:
            own = {"HOME": str(tmp_path), "TRIGGERS_STATE_FOLDER": str(tmp_path / state)}
            with open(tmp_path / f"{state}.txt", "w") as output:
                command = [sys.executable, "-c", SCRIPT, "foreground"]
                environ = os.environ | sandbox.env() | own
                return subprocess.Popen(command, env=environ, stdout=output, stderr=output, text=True)

        first = started("first")
        wait_until_it_is("serving", sandbox)
        for process in [psutil.Process(first.pid), *psutil.Process(first.pid).children(recursive=True)]:
            process.kill()
        first.wait()
        second = started("second")
        try:
            said = (tmp_path / "second.txt").read_text
            eventually(lambda: "may be served from another Redis" in said(), "it waits", told=said)
            if server == "has gone":  # then the SDK would go on for hours
                sandbox.control.fault("drop")
            second.send_signal(number)
            assert second.wait(60) == code
        finally:
            second.kill()
            second.wait()
    told = (tmp_path / "second.txt").read_text()
    assert "Traceback" not in told
    assert "seen by the script" in told
    assert ("gave no answer at the end" in told) == (server == "has gone")


FAILING = """
import sys
from triggers import TriggerScheduler
scheduler = TriggerScheduler(force_create_task_name="failing", force_create_task_project="Ending")
print("ready", flush=True)
sys.stdin.readline()
scheduler.add_task_trigger(schedule_function=print, trigger_on_status=["no such status"], name="any")
"""


@pytest.mark.parametrize("server", ["answers", "has gone"])
def test_script_that_an_error_ends_waits_for_no_server_that_has_gone(tmp_path: Path, server: str) -> None:
    with Sandbox() as sandbox:
        own = {"HOME": str(tmp_path), "TRIGGERS_STATE_FOLDER": str(tmp_path / "state")}
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        command = [sys.executable, "-c", FAILING]
        with subprocess.Popen(command, env=os.environ | sandbox.env() | own, text=True, **pipes) as script:
            try:
                assert script.stdout is not None
                eventually(lambda: script.stdout.readline() == "ready\n", "it is ready")
                if server == "has gone":
                    sandbox.control.fault("drop")
                _, told = script.communicate("\n")
            finally:
                script.kill()
    assert script.returncode == 2
    assert "no such status" in told
    assert ("gave no answer at the end" in told) == (server == "has gone")


def wait_until_it_is(when: str, sandbox: Sandbox) -> None:
    eventually(lambda: pings(sandbox) if when == "registering" else polls(sandbox), f"it is {when}")
    time.sleep(0.5)


def pings(sandbox: Sandbox) -> int:
    """Registrations that are being kept waiting."""
    return sum(int(fault["hits"]) for fault in sandbox.control.faults())


def polls(sandbox: Sandbox) -> int:
    return sandbox.control.counts().get("tasks.get_all_ex", 0)
