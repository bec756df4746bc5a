"""How the command line behaves: help, exit codes, one line for errors that a person can fix."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.metadata import entry_points, version

import pytest


def run(*arguments: str, before: str = "", **variables: str) -> subprocess.CompletedProcess[str]:
    """Run the command line; `before` is Python that runs ahead of it in the same process."""
    code = f"{before}\nfrom triggers.cli import main\nmain()"
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        env=os.environ | variables,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("arguments", [["--help"], ["demo", "--help"], ["sandbox", "--help"]])
def test_help_is_there_for_every_verb(arguments: list[str]) -> None:
    done = run(*arguments)
    assert done.returncode == 0, done.stderr
    assert "Usage: clearml-triggers" in done.stdout


def test_module_is_the_command_line() -> None:
    done = subprocess.run([sys.executable, "-m", "triggers", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == version("clearml-triggers")


def test_script_of_the_package_is_the_command_line() -> None:
    (script,) = entry_points(group="console_scripts", name="clearml-triggers")
    assert script.value == "clearml_triggers:main", "a name that no module of a user's takes"


@pytest.mark.parametrize("arguments", [["no-such-verb"], ["demo", "--no-such-option"], ["demo", "--rounds", "0"]])
def test_wrong_arguments_are_usage(arguments: list[str]) -> None:
    done = run(*arguments)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_usage_error_is_one_line_without_traceback() -> None:
    done = run("demo", TRIGGERS_REDIS_SERVER="/no/such/server")
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith("clearml-triggers: TRIGGERS_REDIS_SERVER='/no/such/server'")
    assert "install" in line


@pytest.mark.parametrize("verb", ["demo", "sandbox"])
@pytest.mark.parametrize("missing", ["starlette", "uvicorn"])
def test_missing_extra_is_named_in_one_line(verb: str, missing: str) -> None:
    before = f"""
import sys
class Absent:
    def find_spec(self, name, *_):
        if name.partition(".")[0] == {missing!r}:
            raise ModuleNotFoundError(name, name=name)
sys.meta_path.insert(0, Absent())
"""
    done = run(verb, before=before)
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert "pip install 'clearml-triggers[sandbox]'" in line


def test_interrupt_ends_quietly() -> None:
    before = "from triggers.cli import streams\ndef stop(): raise KeyboardInterrupt\nstreams.prepare = stop"
    done = run(before=before)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


def test_starting_the_command_line_imports_nothing_heavy() -> None:
    done = run(
        "--version",
        before="""
import atexit, sys
heavy = {"clearml", "celery", "redis", "starlette", "uvicorn", "pydantic", "requests"}
atexit.register(lambda: print(sorted(heavy & set(sys.modules))))""",
    )
    assert done.stdout.splitlines()[-1] == "[]"
