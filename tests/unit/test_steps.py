"""The table of steps and the code it describes are the same."""

from __future__ import annotations

import re
from pathlib import Path

import triggers.ledger
from triggers.ledger.steps import STEPS, SUPPORT, table

ROOT = Path(triggers.__file__).parent
SCRIPTS = ROOT / "ledger" / "scripts"


def test_every_script_is_in_the_table_and_the_table_names_no_other() -> None:
    scripts = {path.stem for path in SCRIPTS.glob("*.lua")} - {"prelude", "clock"}
    assert scripts == {name for step in STEPS for name in step.scripts} | set(SUPPORT)


def test_every_writing_call_of_a_launch_is_in_the_table() -> None:
    text = (ROOT / "clearml_api" / "launches.py").read_text()
    made = set(re.findall(r'call\(\s*"(tasks\.\w+)"', text)) - {"tasks.get_all"}
    assert made == {name for step in STEPS for name in step.calls}


def test_every_script_says_which_interleaving_it_rules_out_or_what_it_is_for() -> None:
    for path in SCRIPTS.glob("*.lua"):
        assert path.read_text().startswith("-- "), path


def test_the_page_is_the_table() -> None:
    page = (ROOT.parent / "docs" / "protocol.md").read_text()
    assert table() in page, "run: python -m triggers.ledger.steps > docs/protocol.md"
