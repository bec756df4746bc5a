"""The guard of the whole suite: what a test leaves in the process is found where it was left, and taken away."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests import leftovers

ROOT = Path(__file__).parents[2]

#: Each with its message; the last test finds nothing of them all.
LEAVING = """
import os
import pytest

def test_variable():
    os.environ["CLEARML_API_HOST"] = "http://dead"

def test_changed():
    os.environ["HOME"] = "/elsewhere"

def test_unset():
    del os.environ["PATH"]

def test_session():
    from clearml.backend_interface.base import InterfaceBase
    InterfaceBase._default_session = object()

def test_task():
    from clearml import Task
    Task._Task__main_task = object()

@pytest.fixture(scope="module")
def wide():
    os.environ["TRIGGERS_REDIS_URL"] = "redis://dead"
    yield

def test_wide(wide, monkeypatch):
    monkeypatch.setenv("TRIGGERS_QUIET", "1")
"""
CLEAN = """
import os, sys

def test_nothing_is_left():
    assert not {"CLEARML_API_HOST", "TRIGGERS_REDIS_URL", "TRIGGERS_QUIET"} & set(os.environ)
    assert os.environ["HOME"] != "/elsewhere"
    assert os.environ["PATH"]
    from clearml import Task
    assert Task.current_task() is None
"""


def run(folder: Path, **modules: str) -> str:
    """What pytest says of modules beside this suite's own conftest."""
    (folder / "conftest.py").write_text((ROOT / "tests" / "conftest.py").read_text())
    for name, text in modules.items():
        (folder / f"{name}.py").write_text(text)
    command = [sys.executable, "-m", "pytest", "-rE", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", str(folder)]
    environ = {n: v for n, v in os.environ.items() if not n.startswith(("CLEARML_", "TRIGGERS_", "PYTEST_"))}
    environ["PYTHONPATH"] = str(ROOT)
    done = subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True)
    return done.stdout + done.stderr


def test_each_test_that_leaves_something_fails_and_those_after_it_find_nothing(tmp_path: Path) -> None:
    said = run(tmp_path, test_a=LEAVING, test_b=CLEAN)
    assert "7 passed, 6 errors" in said, said
    for name, left in {
        "test_variable": "the test leaves the environment variable CLEARML_API_HOST set",
        "test_changed": "the test leaves the environment variable HOME changed",
        "test_unset": "the test leaves the environment variable PATH unset",
        "test_session": "the test leaves a session of the SDK",
        "test_task": "the test leaves a current ClearML task",
        "test_wide": "the fixtures of test_a.py: it leaves the environment variable TRIGGERS_REDIS_URL set",
    }.items():
        assert f"ERROR test_a.py::{name} - Failed: {left[:20]}" in said, said
        assert left in said, said


def test_modules_that_change_the_environment_when_they_are_imported_are_refused(tmp_path: Path) -> None:
    said = run(tmp_path, test_a="import os\nos.environ['CLEARML_TASK_ID'] = 'x'\ndef test_it(): pass\n")
    assert "importing the tests: it leaves the environment variable CLEARML_TASK_ID set" in said, said
    assert "passed" not in said


def test_values_are_not_shown() -> None:
    assert leftovers.changes({"A": "1", "B": "1"}, {"B": "secret", "C": "secret"}) == [
        "the environment variable A unset",
        "the environment variable B changed",
        "the environment variable C set",
    ]
