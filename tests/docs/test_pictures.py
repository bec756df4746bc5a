"""Every picture of the docs is made by a command, and those that come from tables are those of the tables."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest

from tests.docs import pictures
from triggers.stages import diagram, table

FLOWER = {f"flower-{page}.png" for page in ("queues", "task", "tasks", "workers")}
CONSOLE = {f"console-{page}.png" for page in ("firing", "object", "overview")}


def test_every_picture_is_made_by_the_command() -> None:
    assert {path.name for path in pictures.FOLDER.iterdir()} == {
        *pictures.DIAGRAMS,
        *pictures.RECORDINGS,
        *FLOWER,
        *CONSOLE,
    }


@pytest.mark.parametrize(("name", "module"), pictures.DIAGRAMS.items())
def test_a_diagram_is_that_of_its_table(name: str, module: str) -> None:
    picture = (pictures.FOLDER / name).read_text()
    assert picture == importlib.import_module(module).svg(), f"run: python -m {module} > docs/img/{name}"


def test_the_architecture_shows_every_stage_and_queue() -> None:
    words = re.sub(r"<[^>]+>", " ", diagram.svg())
    assert [row.name for row in table.STAGES if f"{row.name}: {row.does}"[:20] not in words] == []
    assert [queue for queue in table.queues() if f"queue {queue}" not in words] == []
    assert set(table.queues()) >= diagram.EXCHANGED.keys()


def test_a_recording_of_another_run_shows_the_same_words() -> None:
    lines = "task {} in {} at {}\n✓ failed {}"
    first = pictures.drawn("explain", lines.format("0a" * 16, "804 ms", "2026-11-27 09:23:39", "now"))
    later = pictures.drawn("explain", lines.format("4f" * 16, "12 ms", "2027-01-02 10:00:00", "now"))
    other = pictures.drawn("explain", lines.format("4f" * 16, "12 ms", "2027-01-02 10:00:00", "before"))
    assert first != later
    assert pictures.words(first) == pictures.words(later)
    assert pictures.words(first) != pictures.words(other)


@pytest.mark.parametrize("path", sorted(pictures.FOLDER.glob("*.svg")), ids=lambda path: path.name)
def test_a_picture_fetches_nothing(path: Path) -> None:
    assert re.findall(r"(?:href=|url\(|src=)[\"']?\w+:", path.read_text()) == []


@pytest.mark.slow
def test_what_is_recorded_is_what_runs() -> None:
    picture = pictures.explain().replace("&#160;", " ")
    assert "does not fire" in picture
    assert "all of the tags production" in picture
