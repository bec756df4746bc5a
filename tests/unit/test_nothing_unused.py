"""Each function of the code is used by the code: what only its test calls is either superfluous or was never wired in."""

from __future__ import annotations

import ast
import importlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import triggers
from triggers.base.settings import Settings
from workers.metric_table import METRICS

ROOT = Path(triggers.__file__).parent.parent
PACKAGES = ("triggers", "workers", "clearml_triggers")
SOURCES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
#: Called by users, or by tests that look at a process from outside.
CALLED_FROM_OUTSIDE = {
    "call_one", "child_pid", "fires", "get_scheduled_tasks", "get_triggers", "remove_task", "start_remotely",
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


def _functions(body: list[ast.stmt], inside: str = "") -> Iterator[tuple[str, str]]:
    """(class, name) of functions that nothing registers under another name, as a decorator does."""
    for node in body:
        if isinstance(node, ast.ClassDef):
            yield from _functions(node.body, node.name)
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and not node.name.startswith("__"):
            if {ast.unparse(one) for one in node.decorator_list} <= {"property", "staticmethod", "classmethod", "cache"}:
                yield inside, node.name


def _overrides(path: Path, of: str, name: str) -> bool:
    """Whether a method stands in place of one that the class inherits: others call it by that name."""
    module = importlib.import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))
    bases: Any = getattr(module, of).__mro__[1:]
    return any(hasattr(base, name) for base in bases)


@pytest.mark.parametrize("package", PACKAGES)
def test_each_function_is_used(package: str) -> None:
    used = _used() | CALLED_FROM_OUTSIDE
    unused, known = [], 0
    for path in (ROOT / package).rglob("*.py"):
        for of, name in _functions(ast.parse(path.read_text()).body):
            known += 1
            if name not in used and not (of and _overrides(path, of, name)):
                unused.append(f"{path.relative_to(ROOT)}: {name}")
    assert known
    assert unused == [], "use it, or delete it with its test"


def test_each_setting_is_read() -> None:
    assert set(Settings.model_fields) - _used("settings") == set()


def test_each_metric_is_measured() -> None:
    assert set(METRICS) - _used("metric_table") == set()
