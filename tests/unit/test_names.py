"""One name, one thing: what a class is called in one place, no other class is called elsewhere."""

from __future__ import annotations

import ast
import pkgutil
import re
from collections import defaultdict
from pathlib import Path

import pytest

import triggers
from triggers.ledger.transitions import TRANSITIONS

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


GLOSSARY = ROOT / "docs" / "glossary.md"


def _rows() -> list[list[str]]:
    lines = [line for line in GLOSSARY.read_text().splitlines() if line.startswith("| ")]
    return [cells for line in lines if (cells := [cell.strip() for cell in line.strip("|").split(" | ")])[0] != "word"]


def test_each_word_of_the_glossary_has_one_row() -> None:
    words = [word for word, *_ in _rows() for word in word.split(", ")]
    assert len(words) > 50
    assert sorted(words) == sorted(set(words))


@pytest.mark.parametrize("path", [path for *_, code in _rows() for path in re.findall(r"`([^`]+)`", code)])
def test_what_the_glossary_names_in_code_is_there(path: str) -> None:
    found = pkgutil.resolve_name(path)
    assert found is not None


def test_the_glossary_has_each_verb_of_a_firing() -> None:
    words = {word for word, *_ in _rows() for word in word.split(", ")}
    assert {one.verb for one in TRANSITIONS} <= words
    assert not {"poison", "aside"} & words
