"""One list says which Pythons are supported: the classifiers. Whatever else names a Python agrees with it."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PYTHONS = [
    name.rpartition(" ")[2] for name in PROJECT["project"]["classifiers"] if re.search(r"Python :: 3\.\d+$", name)
]
OLDEST = PYTHONS[0]


def test_the_list_has_no_gap() -> None:
    minors = [int(name.partition(".")[2]) for name in PYTHONS]
    assert minors == list(range(minors[0], minors[-1] + 1))


def test_tools_go_by_the_oldest() -> None:
    assert PROJECT["project"]["requires-python"] == f">={OLDEST}"
    assert PROJECT["tool"]["mypy"]["python_version"] == OLDEST
    assert PROJECT["tool"]["ruff"]["target-version"] == f"py{OLDEST.replace('.', '')}"


def test_the_tests_run_on_each() -> None:
    made = subprocess.run(["make", "-pnq", "clean"], cwd=ROOT, capture_output=True, text=True, check=False).stdout
    assert re.search(rf"^PYTHONS := {' '.join(PYTHONS)}$", made, re.MULTILINE)
    recipe = made.partition("\ntest-pythons:")[2].partition("\n\n")[0]
    assert "for each in $(PYTHONS)" in recipe
    assert not re.search(r"3\.1\d", recipe)


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", "docs/deployment.md", "docs/tutorial.md"])
def test_pages_name_the_oldest(page: str) -> None:
    named = re.findall(r"Python(?:\*\*)? (3\.\d+) or later", (ROOT / page).read_text())
    assert named
    assert set(named) == {OLDEST}
