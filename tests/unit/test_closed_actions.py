"""Nothing outside `triggers/actions/` asks which action a trigger has, and no kind of thing is left out unseen."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import triggers
from triggers.actions.table import ACTIONS

ROOT = Path(triggers.__file__).parent.parent
SOURCES = [*(ROOT / "triggers").rglob("*.py"), *(ROOT / "workers").rglob("*.py")]
CLASSES = {cls.__name__ for cls in ACTIONS.values()}


def which_action(tree: ast.AST) -> Iterator[str]:
    """Every place of a module that decides by the class, or the type, of an action."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("isinstance", "issubclass"):
            asked = {name.id for name in ast.walk(node.args[1]) if isinstance(name, ast.Name)}
            asked |= {name.attr for name in ast.walk(node.args[1]) if isinstance(name, ast.Attribute)}
            if asked & CLASSES:
                yield ast.unparse(node)
        elif isinstance(node, ast.Compare):
            sides = [ast.unparse(side) for side in (node.left, *node.comparators)]
            if any(side.startswith("type(") and side.endswith("action)") for side in sides):
                yield ast.unparse(node)
            if any(side.endswith("action.type") for side in sides):
                yield ast.unparse(node)
        elif isinstance(node, ast.MatchClass) and ast.unparse(node.cls).rpartition(".")[2] in CLASSES:
            yield ast.unparse(node)
        elif isinstance(node, ast.Match) and ast.unparse(node.subject).endswith("action.type"):
            yield ast.unparse(node.subject)


@pytest.mark.parametrize(
    "text",
    [
        "isinstance(a, TaskAction)",
        "isinstance(trigger.action, (int, actions.FunctionAction))",
        "type(trigger.action) is cls",
        "x = trigger.action.type == 'task'",
        "'task' != action.type",
        "match a:\n    case TaskAction(): pass",
        "match action.type:\n    case 'task': pass",
    ],
)
def test_each_way_to_ask_is_found(text: str) -> None:
    assert list(which_action(ast.parse(text)))


@pytest.mark.parametrize("text", ["isinstance(a, DeclaredAction)", "type(a) is b", "action.label == 'x'"])
def test_what_asks_nothing_is_let_pass(text: str) -> None:
    assert not list(which_action(ast.parse(text)))


def test_nobody_outside_actions_asks_which_action_it_is() -> None:
    found = {
        str(path.relative_to(ROOT)): list(which_action(ast.parse(path.read_text())))
        for path in SOURCES
        if not path.is_relative_to(ROOT / "triggers" / "actions")
    }
    assert {path: asked for path, asked in found.items() if asked} == {}


def test_every_match_ends_so_that_a_case_left_out_is_seen() -> None:
    """By `assert_never`, which mypy checks, or by a case for all that is left."""
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Match) and not path.is_relative_to(ROOT / "triggers" / "sandbox"):
                last = node.cases[-1]
                whole = isinstance(last.pattern, ast.MatchAs) and last.pattern.pattern is None and last.guard is None
                assert whole, f"{path.relative_to(ROOT)}:{node.lineno}: end it with `case other: assert_never(other)`"
