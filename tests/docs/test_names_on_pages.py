"""Names on pages exist: commands are checked by `test_blocks`, here are variables, and arguments of the Python API."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.docs.steps import ROOT, blocks
from triggers import TaskScheduler, TriggerScheduler, actions, testing
from triggers.base.secrets_folder import SECRETS_FOLDER
from triggers.base.settings import Settings
from triggers.explain import explain
from triggers.sandbox import Control, Sandbox

PAGES = sorted(
    [
        *(ROOT / name for name in ("README.md", "SECURITY.md", "CONTRIBUTING.md", "examples/README.md")),
        *(ROOT / "deploy" / "secrets").glob("*.md"),
        *(ROOT / "docs").rglob("*.md"),
    ]
)
#: Variables that are not settings of a process: those of Compose are in its file.
BESIDE = {
    SECRETS_FOLDER,
    "TRIGGERS_WHO",  # `ledger.history.audit` reads it from the environment of verbs
    *re.findall(r"\$\{(TRIGGERS_\w+)", (ROOT / "docker-compose.yml").read_text()),
}
KNOWN = BESIDE | {f"TRIGGERS_{name.upper()}" for name in Settings.model_fields}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_variable_on_a_page_exists(page: Path) -> None:
    named = set(re.findall(r"TRIGGERS_[A-Z][A-Z_]*[A-Z]\b(?!_?…|\*)", page.read_text()))
    assert named - KNOWN == set()


def _callables() -> dict[str, Callable[..., Any]]:
    found: dict[str, Any] = {one.__name__: one for one in (TriggerScheduler, TaskScheduler, Sandbox, Control, explain)}
    for scheduler in (TaskScheduler, TriggerScheduler):
        found |= {name: one for name, one in inspect.getmembers(scheduler, callable) if name[0] != "_"}
    for module in (actions, testing):
        found |= {name: getattr(module, name) for name in module.__all__ if callable(getattr(module, name))}
    return found


CALLABLES = _callables()


def _unknown_arguments(code: str) -> Iterator[str]:
    """What a block gives to a name of the Python API that this does not take."""
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Call) and isinstance(node.func, (ast.Name, ast.Attribute)):
            name = node.func.id if isinstance(node.func, ast.Name) else node.func.attr
            if name not in CALLABLES:
                continue
            taken = inspect.signature(CALLABLES[name]).parameters
            if not any(one.kind is one.VAR_KEYWORD for one in taken.values()):
                yield from (f"{name}({one.arg}=)" for one in node.keywords if one.arg and one.arg not in taken)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_argument_in_a_block_of_python_exists(page: Path) -> None:
    for block in blocks(page.read_text()):
        if block.language == "python" and not block.included:
            assert list(_unknown_arguments(block.text)) == [], block.text


def test_a_wrong_argument_is_found() -> None:
    assert list(_unknown_arguments("s.add_task_trigger(name='a', trigger_on_state=['failed'])")) == [
        "add_task_trigger(trigger_on_state=)"
    ]
    assert list(_unknown_arguments("TriggerScheduler(pooling_frequency_minutes=1)")) == []
