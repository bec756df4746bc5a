"""`import triggers` starts nothing and costs little beside the SDK that a script imports anyway."""

from __future__ import annotations

import subprocess
import sys


def python(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_importing_starts_nothing() -> None:
    code = """
import os, subprocess, sys, threading, socket
def refused(*_, **__): raise AssertionError("something was started")
subprocess.Popen = os.fork = threading.Thread.start = socket.socket.connect = refused
import triggers
from triggers import TriggerScheduler
print(threading.active_count(), sorted({"clearml", "celery", "redis", "workers"} & set(sys.modules)))
"""
    assert python(code) == "1 []"


def test_a_script_that_parses_arguments_has_the_sdk_before_it_does() -> None:
    """As with the original's import: the SDK records only what is parsed after it has patched the parser."""
    code = "import argparse, sys; from triggers import TriggerScheduler; print('clearml' in sys.modules)"
    assert python(code) == "True"


def test_the_sdk_comes_with_the_first_parser_that_is_imported_later() -> None:
    """And the parser is what it would be without: its own loader, loaded once, patched by the SDK."""
    code = """
import sys
from triggers import TriggerScheduler
before = "clearml" in sys.modules
import argparse, click, inspect
print(before, "clearml" in sys.modules, hasattr(argparse.ArgumentParser, "_parse_args_patched"),
    sys.modules["clearml"].task.ArgumentParser is argparse.ArgumentParser,
    "def parse_args" in inspect.getsource(argparse),
    type(argparse.__spec__.loader).__name__, argparse.__loader__ is argparse.__spec__.loader,
    [each for each in sys.meta_path if "triggers" in type(each).__module__ and "clearml" not in type(each).__module__])
"""
    assert python(code) == "False True True True True SourceFileLoader True []"


def test_importing_loads_no_dependency() -> None:
    """The larger packages are loaded by what uses them first: validating, registering, serving."""
    code = """
import sys, triggers.client.scheduler
print(sorted({"clearml", "celery", "pydantic", "redis", "regex", "requests", "rich", "typer"} & set(sys.modules)))
"""
    assert python(code) == "[]"


def test_importing_is_quick_beside_the_sdk() -> None:
    code = "import time; t = time.process_time(); import {}; print(time.process_time() - t)"
    ours, theirs = (
        min(float(python(code.format(name))) for _ in range(2)) for name in ("triggers.client.scheduler", "clearml")
    )
    assert ours < theirs / 5, f"{ours:.2f} s of processor time beside clearml's {theirs:.2f} s"


def test_pytest_plugin_loads_without_the_extra() -> None:
    """Else everybody who has the package without `[sandbox]` could run no tests at all."""
    code = """
import sys
class Absent:
    def find_spec(self, name, *_):
        if name.partition(".")[0] in ("starlette", "uvicorn", "python_multipart"):
            raise ModuleNotFoundError(name, name=name)
sys.meta_path.insert(0, Absent())
import clearml_triggers.pytest_plugin
print("loaded")
"""
    assert python(code) == "loaded"
