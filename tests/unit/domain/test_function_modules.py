"""What a writer to Redis can have a dispatch worker import and call: what TRIGGERS_FUNCTION_MODULES names, no more."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from triggers.errors import LaunchImpossible, Usage
from triggers.functions import load
from triggers.settings import Settings, settings_of

JOBS = """
import os
import subprocess
from os import system
from functools import partial

def note(object_id): return "noted"
run_it = subprocess.run
bound = partial(os.system, "true")

class Jobs:
    @staticmethod
    def nightly(object_id): return "nightly"

class Sneaky:
    inner = os
"""


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "my_jobs").mkdir()
    (tmp_path / "my_jobs" / "__init__.py").write_text(JOBS)
    (tmp_path / "my_jobs" / "deep.py").write_text(JOBS)
    (tmp_path / "my_jobs_of_others.py").write_text(JOBS + "\nraise SystemExit('it was imported')\n")
    monkeypatch.syspath_prepend(tmp_path)
    for name in [name for name in sys.modules if name.startswith("my_jobs")]:
        monkeypatch.delitem(sys.modules, name)


@pytest.mark.parametrize("reference", ["my_jobs:note", "my_jobs.deep:note", "my_jobs:Jobs.nightly"])
def test_functions_of_a_package_that_is_named_are_called(package: None, reference: str):
    assert load(reference, ["other", "my_jobs"])("ab") in ("noted", "nightly")
    assert load(reference, ["*"])


@pytest.mark.parametrize(
    "reference",
    [
        "os:system",
        "posix:system",
        "builtins:exec",
        "my_jobs_of_others:note",
        "my_jobs:os.system",
        "my_jobs:system",
        "my_jobs:run_it",
        "my_jobs:bound",
        "my_jobs:Sneaky.inner.system",
        "my_jobs:note.__globals__",
        "my_jobs:__builtins__",
        "my_jobs:Jobs.__class__",
        "my_jobs",
        "my_jobs:",
        ":note",
        "../my_jobs:note",
        "my_jobs:note\n",
        "my_jobs:note()",
        "",
    ],
)
def test_everything_else_is_refused(package: None, reference: str):
    with pytest.raises(LaunchImpossible):
        load(reference, ["my_jobs"])


def test_none_may_be_imported_unless_it_is_named(package: None):
    with pytest.raises(LaunchImpossible, match=r"now: none.*TRIGGERS_FUNCTION_MODULES"):
        load("my_jobs:note", Settings().function_modules)
    assert "my_jobs" not in sys.modules


def test_modules_are_read_from_the_environment():
    assert settings_of({}).function_modules == ()
    read = settings_of({"TRIGGERS_FUNCTION_MODULES": "my_jobs, their.jobs ,"})
    assert read.function_modules == ("my_jobs", "their.jobs")
    with pytest.raises(Usage, match=r"TRIGGERS_FUNCTION_MODULES.*is no module"):
        settings_of({"TRIGGERS_FUNCTION_MODULES": "my_jobs;os"})
