"""The folders import what the contracts in pyproject.toml allow, and docs/architecture.md says the same."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.contract.layers_page import PAGE, ROOT, layers, page


def test_the_contracts_hold() -> None:
    lint = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([lint, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[done.stdout.find("Contracts") :]


def test_every_folder_has_a_layer() -> None:
    folders = {path.parent.name for path in (ROOT / "triggers").glob("*/__init__.py")}
    assert folders <= {name for line in layers() for name in line}


def test_the_table_of_the_page_is_that_of_the_contracts() -> None:
    assert PAGE.read_text() == page(), "python -m tests.contract.layers_page"
