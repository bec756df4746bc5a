"""The help of every verb: as its file has it, within 80 columns, and with an example as its last line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from tests import snapshots
from triggers.cli.app import app
from triggers.cli.examples import EXAMPLES

FOLDER = Path(__file__).parent / "snapshots"


def verbs(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    yield path
    for name, child in getattr(command, "commands", {}).items():
        yield from verbs(child, (*path, name))


VERBS = list(verbs(typer.main.get_command(app)))
LEAVES = [" ".join(path) for path in VERBS if not any(other[:-1] == path for other in VERBS if other)]


def help_of(path: tuple[str, ...]) -> str:
    done = CliRunner().invoke(app, [*path, "--help"], env={"COLUMNS": "80"}, prog_name="clearml-triggers")
    assert done.exit_code == 0, done.output
    return "\n".join(line.rstrip() for line in done.output.strip().splitlines()) + "\n"


@pytest.mark.parametrize("path", VERBS, ids=" ".join)
def test_help_is_as_reviewed(path: tuple[str, ...]) -> None:
    text = help_of(path)
    assert max(map(len, text.splitlines())) <= 80
    snapshots.check(FOLDER / f"{'-'.join(path) or 'clearml-triggers'}.txt", text)


def test_every_verb_has_an_example() -> None:
    assert sorted(EXAMPLES) == sorted(LEAVES)


@pytest.mark.parametrize("verb", LEAVES)
def test_help_ends_with_the_example(verb: str) -> None:
    assert EXAMPLES[verb].startswith(f"clearml-triggers {verb}")
    assert help_of(tuple(verb.split())).splitlines()[-1].strip() == f"Example: {EXAMPLES[verb]}"


def test_no_file_is_left_of_a_verb_that_is_gone() -> None:
    assert {file.stem for file in FOLDER.iterdir()} == {"-".join(path) or "clearml-triggers" for path in VERBS}
