"""An iCalendar file that a file of triggers names: found beside that file, and kept as the dates that are in it."""

from __future__ import annotations

from pathlib import Path

import jsonschema
import pytest
import yaml

from tests.unit.schedules.test_odd_values import calendar_file
from triggers.base.errors import Usage
from triggers.configuration.document import load, parse
from triggers.configuration.schema import schema
from triggers.model.trigger import ScheduleTrigger

ITEM = "- {kind: schedule, name: s, schedule_task_id: b, schedule_queue: q, cron: '0 6 * * *', exclude: PATH}"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a file of triggers and of its holidays; the command runs in another, which has others."""
    mine, elsewhere = tmp_path / "mine", tmp_path / "elsewhere"
    for one, day in ((mine, "20261224"), (elsewhere, "20270101")):
        one.mkdir()
        calendar_file(one, f"DTSTART;VALUE=DATE:{day}")
    monkeypatch.chdir(elsewhere)
    return mine


def file_with(folder: Path, path: str) -> Path:
    file = folder / "triggers.yaml"
    file.write_text("triggers:\n" + ITEM.replace("PATH", path))
    return file


@pytest.mark.parametrize("path", ["days.ics", "./days.ics", "../mine/days.ics", "{folder}/days.ics"])
def test_a_path_begins_in_the_folder_of_the_file(folder: Path, path: str) -> None:
    (found,) = load(str(file_with(folder, path.format(folder=folder)))).triggers
    assert isinstance(found, ScheduleTrigger)
    assert found.exclude == ("2026-12-24",)
    assert ".ics" not in found.to_json(), "it is kept by its content"


def test_a_file_that_is_named_from_elsewhere_is_the_same(folder: Path) -> None:
    file = file_with(folder, "days.ics")
    assert load(f"../mine/{file.name}") == load(str(file))


def test_a_missing_file_is_named_with_where_it_was_looked_for(folder: Path) -> None:
    with pytest.raises(Usage) as caught:
        load(str(file_with(folder, "other.ics")))
    assert str(caught.value) == (
        f"triggers.yaml, item 1: schedule 's': exclude='other.ics': there is no such file (the path begins in {folder})"
        ": commit it with the file of triggers, or give a list of dates"
    )


def test_a_text_that_is_sent_reads_no_file(folder: Path) -> None:
    """The console shows and applies texts: what a person types there opens no file of its host."""
    with pytest.raises(Usage, match=r"exclude='.*days.ics': no file is read for a text that is sent: give a list"):
        parse("triggers:\n" + ITEM.replace("PATH", str(folder / "days.ics")), "the text")


@pytest.mark.parametrize(
    ("given", "accepted"),
    [
        ("{exclude: days.ics, jitter_seconds: 5m}", True),
        ("{exclude: ['2026-12-25'], jitter_seconds: 5}", True),
        ("{exclude: '2026-12-25'}", False),
    ],
)
def test_the_schema_for_editors_takes_what_is_read(given: str, accepted: bool) -> None:
    item = {**yaml.safe_load(ITEM.replace("PATH", "null"))[0], **yaml.safe_load(given)}
    found = jsonschema.Draft202012Validator(schema()).is_valid({"triggers": [item]})
    assert found is accepted
