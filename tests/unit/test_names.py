"""One name, one thing: what a class is called in one place, no other class is called elsewhere."""

from __future__ import annotations

import ast
from collections import defaultdict
from pathlib import Path

import triggers

ROOT = Path(triggers.__file__).parent.parent
SOURCES = sorted([*(ROOT / "triggers").rglob("*.py"), *(ROOT / "workers").rglob("*.py")])


def _names() -> dict[str, list[str]]:
    """Public classes, and types that are given a name at the top of a module: name → where each is defined."""
    found: dict[str, list[str]] = defaultdict(list)
    for path in SOURCES:
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.ClassDef):
                name = node.name
            elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Subscript):
                name = ast.unparse(node.targets[0]) if ast.unparse(node.value.value) in ("Literal", "Callable") else ""
            else:
                continue
            if name and not name.startswith("_"):
                found[name].append(str(path.relative_to(ROOT)))
    return found


def test_no_two_public_classes_or_types_have_one_name() -> None:
    names = _names()
    assert len(names) > 200, "they were looked at"
    assert {name: places for name, places in names.items() if len(places) > 1} == {}
