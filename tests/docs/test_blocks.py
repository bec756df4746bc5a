"""Blocks of the guides: long ones are files of `examples/`, and commands are those of the command line."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from tests.docs.steps import ROOT, blocks, steps
from triggers.cli.app import app

GUIDES = sorted((ROOT / "docs" / "how-to").glob("*.md"))
#: every step of it is followed by a test of its own
TUTORIAL = ROOT / "docs" / "tutorial.md"
OTHERS = ("README.md", "SECURITY.md", "CONTRIBUTING.md", "examples/README.md", "deploy/secrets/README.md")
PAGES = [*GUIDES, TUTORIAL, *sorted((ROOT / "docs").glob("*.md")), *(ROOT / name for name in OTHERS)]

#: Lines that a guide may hold itself.
FEW = 3


@pytest.mark.parametrize("page", GUIDES, ids=lambda page: page.stem)
def test_a_long_block_of_a_guide_is_a_file_of_the_examples(page: Path) -> None:
    pasted = [block for block in blocks(page.read_text()) if not block.included and block.text.count("\n") > FEW]
    assert pasted == []


@pytest.mark.parametrize("page", [*GUIDES, TUTORIAL], ids=lambda page: page.stem)
def test_a_file_of_a_guide_has_the_name_of_the_example(page: Path) -> None:
    for block in blocks(page.read_text()):
        if "." in block.title:
            assert block.included, block
            (included,) = re.findall(r'--8<-- "([^"]+)"', block.text)
            assert Path(included).name == block.title
            assert included.startswith("examples/"), "it would be started by no test"


def test_every_example_is_in_a_guide() -> None:
    shown = {step.where for page in [*GUIDES, TUTORIAL] for step in steps(page.read_text()) if step.what == "save"}
    assert {path.name for path in (ROOT / "examples").iterdir() if path.is_file()} - shown == {"README.md"}


def _commands(page: Path) -> Iterator[str]:
    """Each command that a page says to type, in blocks and in text."""
    text = page.read_text()
    blocks_of_code = re.findall(r"^```\w*[^\n]*\n(.*?)^```$", text, re.S | re.M)
    indented = re.findall(r"^    (clearml-triggers .*)$", text, re.M)
    for line in [*"\n".join(blocks_of_code).splitlines(), *indented, *re.findall(r"`(clearml-triggers [^`]+)`", text)]:
        for command in re.findall(r"(?:^|[(\s\"])(clearml-triggers [^=@|)>&][^|)>&]*)", line):
            yield command.partition("#")[0].strip()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_command_of_a_page_is_one(page: Path) -> None:
    for command in _commands(page):
        assert _problem(shlex.split(command)[1:]) == "", command


def _problem(words: list[str]) -> str:
    """What of a command does not exist: its verb, or one of its options."""
    command: Any = typer.main.get_command(app)
    while words and hasattr(command, "commands"):
        if words[0] not in command.commands:
            return "" if words[0].startswith("-") or words[0].isupper() else f"no verb {words[0]}"
        command, words = command.commands[words[0]], words[1:]
    known = {name for one in command.params for name in [*one.opts, *one.secondary_opts]} | {"--help"}
    unknown = [word for word in words if word.startswith("-") and word.partition("=")[0] not in known]
    return f"no option {unknown}" if unknown else ""


def test_a_wrong_command_is_found() -> None:
    assert _problem(["list"]) == ""
    assert _problem(["dead", "retry", "--all"]) == ""
    assert _problem(["lisst"]) == "no verb lisst"
    assert _problem(["dead", "retry", "--everything"]) == "no option ['--everything']"
