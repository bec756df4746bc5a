"""Each function of the code is used by the code: what only its test calls is superfluous, or was never wired in."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import triggers
from triggers.base.settings import Settings
from workers.metric_table import METRICS

ROOT = Path(triggers.__file__).parent.parent
PACKAGES = ("triggers", "workers", "clearml_triggers")
SOURCES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
#: Its client and its control are for the tests of users.
SANDBOX = ROOT / "triggers" / "sandbox"
#: Called by users, by a library that a class is mixed into, or by tests that look at a process from outside.
CALLED_FROM_OUTSIDE = {
    "_new_conn", "child_pid", "fires", "get_scheduled_tasks", "get_triggers", "remove_task",
    "start_remotely",
}  # fmt: skip


def _used(*without: str) -> set[str]:
    """Every name that the code reads, also in code that is a text, and in templates; docstrings do not count.

    `without`: beginnings of the names of files that do not count.
    """
    found: set[str] = set()
    for path in SOURCES:
        if path.name.startswith(without):
            continue
        tree = ast.parse(path.read_text())
        docstrings = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        for node in ast.walk(tree):
            if id(node) in docstrings:
                continue
            if isinstance(node, ast.Attribute):
                found.add(node.attr)
            elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
                found.add(node.id)
            elif isinstance(node, ast.alias):
                found.add(node.name)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.update(re.findall(r"\w+", node.value))
    for page in (ROOT / "triggers").rglob("*.html"):
        found.update(re.findall(r"\w+", page.read_text()))
    return found


def _classes() -> set[str]:
    """The names of all classes of the code."""
    return {
        node.name
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ClassDef)
    }


def _functions(body: list[ast.stmt], ours: set[str]) -> Iterator[str]:
    """Functions that nothing calls by itself, as a decorator does, or the library that a class inherits from."""
    for node in body:
        if isinstance(node, ast.ClassDef):
            if {ast.unparse(base) for base in node.bases} <= ours:
                yield from _functions(node.body, ours)
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and not node.name.startswith("__"):
            decorated = {ast.unparse(one) for one in node.decorator_list}
            if not decorated - {"property", "staticmethod", "classmethod", "cache"}:
                yield node.name


@pytest.mark.parametrize("package", PACKAGES)
def test_each_function_is_used(package: str) -> None:
    used, ours = _used() | CALLED_FROM_OUTSIDE, _classes() | {"Protocol", "ABC"}
    known = [
        (path, name)
        for path in (ROOT / package).rglob("*.py")
        if not path.is_relative_to(SANDBOX)
        for name in _functions(ast.parse(path.read_text()).body, ours)
    ]
    assert known
    unused = [f"{path.relative_to(ROOT)}: {name}" for path, name in known if name not in used]
    assert unused == [], "use it, or delete it with its test"


def test_each_setting_is_read() -> None:
    assert set(Settings.model_fields) - _used("settings") == set()


def test_each_metric_is_measured() -> None:
    assert set(METRICS) - _used("metric_table") == set()
