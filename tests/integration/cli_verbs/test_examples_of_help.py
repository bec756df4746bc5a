"""What each verb's help shows as its example works, and the main verbs print what their files have."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests import snapshots
from tests.integration.cli_verbs import past
from tests.integration.cli_verbs.conftest import run
from tests.integration.stages.conftest import World
from triggers.base.settings import settings
from triggers.cli.examples import EXAMPLES

FOLDER = Path(__file__).parent / "snapshots"
#: Verbs that run until Ctrl-C, and the demo: what each prints once it runs.
RUNNING = {
    "console": "console at http",
    "sandbox": "ClearML API, files and pages at",
    "up": "triggers: state in",
    "demo": "launches, each once",
}
#: Verb → another trigger whose firings its example is about.
ABOUT = {
    "failing list": "broken", "failing retry": "broken", "dead list": "given up", "dead retry": "given up",
    "dead drop": "given up", "holds release": "paced", "holds drop": "paced", "slots release": "single",
}  # fmt: skip
#: What ends with 1 in this state: it finds something.
NOT_SO = {"doctor", "diff", "unsigned list"}
OUTPUTS = [
    "list", "show retry", "status", "explain retry 'train resnet'", "explain paced 'paused task'", "history retry",
    "history paced", "dead list", "failing list", "holds list", "slots list", "doctor", "diff -f triggers.yaml",
    "test retry --since 2h", "audit", "cursor show", "show retyr", "explain retry 'train resnt'",
]  # fmt: skip
#: So wide that no cell is wrapped: beside them stands how long ago something was, "9 s" or "12 s".
WIDE = {"list", "dead list", "failing list", "holds list"}


@pytest.fixture
def scheduler(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.chdir(tmp_path)
    past.make(world, tmp_path)
    return world


def prepare(world: World, verb: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What has to come before a verb that its example cannot show."""
    if verb.startswith("unsigned"):
        monkeypatch.setenv("TRIGGERS_SIGNING_KEY", "k" * 40)
        settings.cache_clear()
    elif verb == "delete":  # a script keeps what it declares; this one comes from a file
        run("apply", "-f", "triggers.yaml")
    elif verb == "slots release":  # its ClearML task has ended
        for task in world.clones(tags=["single"]) or world.clones():
            world.call("tasks.stopped", task=task["id"], force=True)


# `send` needs a worker, and a receiver: test_sending.py tries it
@pytest.mark.parametrize("verb", [verb for verb in EXAMPLES if verb not in (*RUNNING, "send")])
def test_an_example_works(scheduler: World, verb: str, monkeypatch: pytest.MonkeyPatch) -> None:
    line = EXAMPLES[verb].partition(" >")[0]
    if verb in ABOUT:
        line = line.replace("retry", f"'{ABOUT[verb]}'") if "--trigger" in line else line
        line = line.replace("task:retry", f"'task:{ABOUT[verb]}'")
        line = line.replace(f"{verb.split()[0]} '{ABOUT[verb]}'", f"{verb.split()[0]} retry")
    prepare(scheduler, verb, monkeypatch)
    done = run(*shlex.split(line)[1:])
    assert done.code == (1 if verb in NOT_SO else 0), done.out
    assert done.out.strip(), "it says what it did"


@pytest.mark.parametrize("line", OUTPUTS)
def test_output_is_as_reviewed(scheduler: World, line: str) -> None:
    done = run(*shlex.split(line), width=160 if line in WIDE else 100)
    name = "-".join(word.strip("'-.") for word in line.replace(".yaml", "").split())
    snapshots.check(FOLDER / f"{name}.txt", f"$ clearml-triggers {line}\n{snapshots.steady(done.out)}")


@pytest.mark.slow
@pytest.mark.parametrize("verb", RUNNING)
def test_an_example_that_runs_on_works(
    world: World, verb: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "triggers.yaml").write_text(past.FILE.format(base=world.base))
    monkeypatch.delenv("TRIGGERS_REDIS_URL")
    monkeypatch.setenv("TRIGGERS_STATE_FOLDER", str(tmp_path / "state"))
    monkeypatch.setenv("HOME", str(tmp_path))
    settings.cache_clear()
    command = [sys.executable, "-m", "triggers", *shlex.split(EXAMPLES[verb])[1:]]
    if verb in ("sandbox", "console"):
        command += ["--port", "0"]
    process = subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=dict(os.environ)
    )
    assert process.stdout is not None
    printed = ""
    for line in process.stdout:
        printed += line
        if RUNNING[verb] in line:
            break
    if verb != "demo":
        process.send_signal(signal.SIGINT)
    printed += process.communicate(timeout=60)[0]
    assert process.returncode in (0, 130), printed
    assert RUNNING[verb] in printed
    assert not [p for p in psutil.process_iter(["cmdline"]) if str(tmp_path) in " ".join(p.info["cmdline"] or [])]
