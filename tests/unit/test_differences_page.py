"""docs/differences.md is held to our signatures, to the tests that it names, and to the excuses it has to give."""

from __future__ import annotations

import ast
import inspect
import re
from functools import lru_cache
from pathlib import Path

import pytest

from tests.integration.differential import excuses
from triggers import TriggerScheduler

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "differences.md").read_text()
COLUMNS = ["row", "the text", "the original", "here", "tests"]
CALLS = {"": "__init__", "model": "add_model_trigger", "dataset": "add_dataset_trigger", "task": "add_task_trigger"}
MEANINGS = {
    "once", "once-transition", "first-start", "tags", "threshold-zero", "metric-missing", "project-missing",
    "single-instance", "reuse", "queue", "more-than-500", "names", "add-returns", "self-launch", "functions",
    "get-triggers",
}  # fmt: skip


def tables() -> dict[str, list[list[str]]]:
    """Heading → rows of cells."""
    found = {}
    for section in PAGE.split("\n## ")[1:]:
        heading, _, body = section.partition("\n")
        lines = [line for line in body.splitlines() if line.startswith("|")]
        cells = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]
        assert cells[0] == COLUMNS, heading
        found[heading] = cells[2:]
    return found


TABLES = tables()
ROWS = [pytest.param(row, id=f"{heading}: {row[0]}") for heading, rows in TABLES.items() for row in rows]


@lru_cache
def functions_of(path: Path) -> set[str]:
    return {node.name for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize("row", ROWS)
def test_a_row_is_complete_and_its_tests_exist(row: list[str]) -> None:
    assert len(row) == len(COLUMNS)
    assert all(row)
    names = re.findall(r"`([^`]+)`", row[-1])
    assert names, "no test shows it"
    for name in names:
        path, _, test = name.partition("::")
        assert test in functions_of(ROOT / "tests" / path), name


@pytest.mark.parametrize("kind", CALLS)
def test_every_argument_has_exactly_one_row(kind: str) -> None:
    call = CALLS[kind]
    own = [row[0] for heading, rows in TABLES.items() if heading.endswith(f"`{call}`") for row in rows]
    shared = "Arguments of all three `add_*` calls" if kind else "Arguments of the constructor"
    named = own + [row[0] for row in TABLES[shared]]
    arguments = [name for name in inspect.signature(getattr(TriggerScheduler, call)).parameters if name != "self"]
    assert sorted(named) == sorted(arguments)


def test_every_meaning_has_a_row() -> None:
    rows = [row[0] for row in TABLES["Meanings"]]
    assert len(rows) == len(set(rows))
    assert set(rows) >= MEANINGS


def test_every_excuse_has_a_row_whose_test_shows_it() -> None:
    shown = {row[0] for row in TABLES["Meanings"] if "test_each_excuse.py::" in row[-1]}
    assert shown == set(excuses.rows())


def test_references_between_rows_lead_somewhere() -> None:
    rows = {row[0] for rows in TABLES.values() for row in rows}
    for reference in re.findall(r"[Ss]ee ((?:\*[a-z0-9-]+\*(?:, )?)+)", PAGE):
        assert set(re.findall(r"\*([a-z0-9-]+)\*", reference)) <= rows
