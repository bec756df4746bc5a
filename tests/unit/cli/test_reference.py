"""The page of verbs is that of the code, and every verb says what it is for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import typer

import triggers
from triggers.cli.app import app
from triggers.cli.reference import page

DOCS = Path(triggers.__file__).parents[1] / "docs"


def leaves(command: Any, name: str = "") -> list[tuple[str, Any]]:
    children = getattr(command, "commands", None)
    if children is None:
        return [(name, command)]
    return [leaf for child in children.values() for leaf in leaves(child, f"{name} {child.name}".strip())]


VERBS = leaves(typer.main.get_command(app))


def test_the_page_is_written_from_the_code() -> None:
    assert (DOCS / "cli.md").read_text() == page(), "run: python -m triggers.cli.reference > docs/cli.md"


@pytest.mark.parametrize(("name", "command"), VERBS, ids=[name for name, _ in VERBS])
def test_every_verb_has_help_for_itself_and_each_option(name: str, command: Any) -> None:
    assert command.help
    assert [one.name for one in command.params if not getattr(one, "help", "") and one.name != "help"] == []
    printing_nothing = ("console", "sandbox", "up")
    assert name in printing_nothing or any("--json" in one.opts for one in command.params)


def test_every_verb_is_in_a_file_of_its_own() -> None:
    files = {path.stem.rstrip("_") for path in (DOCS.parent / "triggers" / "cli").iterdir()}
    assert {name.split()[0] for name, _ in VERBS} <= files
