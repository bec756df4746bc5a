"""The table of steps and the code it describes are the same."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import triggers.ledger
from triggers.cli.output import STYLES
from triggers.client.narration import _VERBS
from triggers.ledger.pages.diagram import svg
from triggers.ledger.pages.protocol_page import page
from triggers.ledger.steps import STEPS, SUPPORT
from triggers.ledger.transitions import TRANSITIONS, edges
from triggers.operate.words import WORDS

ROOT = Path(triggers.__file__).parent
SVG = "{http://www.w3.org/2000/svg}"
SCRIPTS = ROOT / "ledger" / "scripts"


def test_every_script_is_in_the_table_and_the_table_names_no_other() -> None:
    scripts = {path.stem for path in SCRIPTS.glob("*.lua")} - {"prelude", "clock", "lines", "pace"}
    assert scripts == {name for step in STEPS for name in step.scripts} | set(SUPPORT)


def test_every_writing_call_of_a_launch_is_in_the_table() -> None:
    text = (ROOT / "clearml_api" / "launches.py").read_text()
    made = set(re.findall(r'call\(\s*"(tasks\.\w+)"', text)) - {"tasks.get_all"}
    assert made == {name for step in STEPS for name in step.calls}


def test_every_script_says_which_interleaving_it_rules_out_or_what_it_is_for() -> None:
    for path in SCRIPTS.glob("*.lua"):
        assert path.read_text().startswith("-- "), path


def test_the_page_is_the_table() -> None:
    written = (ROOT.parent / "docs" / "protocol.md").read_text()
    assert written == page(), "run: python -m triggers.ledger.pages.protocol_page > docs/protocol.md"


def test_the_picture_is_the_table() -> None:
    written = (ROOT.parent / "docs" / "img" / "states.svg").read_text()
    assert written == svg(), "run: python -m triggers.ledger.pages.diagram > docs/img/states.svg"
    lines = {
        (line.get("data-from"), line.get("data-to")) for line in ElementTree.fromstring(written).iter(f"{SVG}path")
    }
    assert lines - {(None, None)} == set(edges()), "one line for each pair of phases"


def test_the_history_has_one_word_for_each_transition_and_everything_that_shows_it_knows_them() -> None:
    remembered = set()
    for path in SCRIPTS.glob("*.lua"):
        remembered |= set(re.findall(r"^\s*remember\([^,]+, [^,]+, '(\w+)'", path.read_text(), re.M))
    ended = {one.happened for one in TRANSITIONS if "finish" in one.scripts}  # finish.lua is given the state
    words = {one.happened for one in TRANSITIONS if one.happened}
    assert remembered | ended == words == set(WORDS) == {*_VERBS, "granted"}
    assert words - {"released", "retried", "shadow"} <= set(STYLES)


def test_every_command_that_makes_a_transition_exists() -> None:
    reference = (ROOT.parent / "docs" / "cli.md").read_text()
    for way in (way for one in TRANSITIONS for way in one.ways):
        verb, _, option = way.partition(" --")
        section = reference.partition(f" {verb}\n")[2]
        assert section, way
        assert not option or f"--{option}" in section.partition("\n##")[0], way
