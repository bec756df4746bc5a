"""The folders import what the contracts in pyproject.toml allow, and docs/architecture.md says the same."""

from __future__ import annotations

import ast
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


#: `doctor` asks the server itself what it is and how it is set up.
ASKS_THE_SERVER = {"triggers/operate/doctor/look.py"}


def test_nothing_outside_the_ledger_spells_a_key_or_uses_its_client() -> None:
    found = set()
    for path in [*(ROOT / "triggers").rglob("*.py"), *(ROOT / "workers").rglob("*.py")]:
        name = path.relative_to(ROOT).as_posix()
        if name.startswith("triggers/ledger/"):
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and node.module == "triggers.ledger.keys":
                found.add(name)
            owner = getattr(node, "value", None)
            if isinstance(node, ast.Attribute) and isinstance(owner, ast.Attribute | ast.Name):
                called = owner.attr if isinstance(owner, ast.Attribute) else owner.id
                if (called, node.attr) in {("ledger", "keys"), ("store", "client")}:
                    found.add(name)
    assert found == ASKS_THE_SERVER
