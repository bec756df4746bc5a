"""Text of others: harmless in every place, and still the same value where it is data."""

from __future__ import annotations

import json
import subprocess
import sys
import unicodedata

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from triggers.base import escaping
from triggers.base.errors import InvalidTrigger, Usage
from triggers.client.scheduler import TriggerScheduler
from triggers.configuration.difference import compare
from triggers.configuration.document import parse
from triggers.configuration.writing import dump
from triggers.ledger.registry.registry import Entry, Snapshot
from triggers.model import check_new, make_trigger
from triggers.sync.sections import read_section

TURNING = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
UNSAFE = [
    chr(code)
    for code in range(sys.maxunicode + 1)
    if unicodedata.category(chr(code)) in ("Cc", "Cs", "Zl", "Zp")
    or unicodedata.bidirectional(chr(code)) in TURNING
    or chr(code) in "\u200e\u200f\u061c\ufeff\u200b\U000e0041"
]
_UNSAFE = frozenset(UNSAFE)
HOSTILE = "a\x1b]8;;http://evil\x07b\r\nINFO forged\u202ec\x9b31m\u2028<script>&'\"`$(touch x)\\"


def holds_unsafe(text: str, allowed: str = "") -> list[str]:
    return [character for character in text if character in _UNSAFE and character not in allowed]


def test_every_control_character_and_turning_mark_is_known():
    assert [character for character in UNSAFE if escaping.is_safe(character)] == []
    assert escaping.one_line("Größe 模型 👩‍🔬 می‌خواهم") == "Größe 模型 👩‍🔬 می‌خواهم", "other scripts stay"


@given(st.text())
def test_a_line_stays_one_line_and_shows_what_it_held(text):
    shown = escaping.one_line(text)
    assert not holds_unsafe(shown)
    assert len(shown.splitlines()) <= 1
    assert escaping.one_line(shown) == shown


@given(st.text())
def test_no_line_below_an_error_begins_where_an_entry_would(text):
    lines = escaping.in_lines(text).split("\n")
    assert all(line.startswith("  ") for line in lines[1:])
    assert not holds_unsafe("".join(lines), "\t")


@given(st.recursive(st.text() | st.integers(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))
def test_json_holds_the_same_value_and_nothing_unsafe(value):
    for indent in (None, 2):
        text = escaping.json_text(value, indent=indent)
        assert json.loads(text) == value
        assert not holds_unsafe(text, "\n" if indent else "")


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_yaml_holds_the_same_value_and_nothing_unsafe(name):
    trigger = make_trigger(
        "task", name="t", trigger_on_tags=[f"t{name}"], action={"type": "task", "base_task_id": "b", "queue": "q"}
    )
    text = dump([trigger])
    assert not holds_unsafe(text, "\n")
    assert yaml.safe_load(text)["triggers"][0]["trigger_on_tags"] == [f"t{name}"]
    assert parse(text, "f").triggers == (trigger,)


@pytest.mark.parametrize("name", ["plain", "two words", "it's", "-x", "$(id)", "`id`", "a;b|c", '"', HOSTILE, "é\n"])
def test_a_pasted_command_passes_the_name_as_it_is(name):
    line = escaping.command("resume", name)
    assert not holds_unsafe(line)
    script = f"clearml-triggers() {{ printf '%s\\0' \"$@\"; }}; {line}"
    came = subprocess.run(
        ["bash", "-c", script], capture_output=True, check=True, env={"LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin"}
    ).stdout.decode()
    assert came.split("\0")[:-1] == ["resume", *(["--"] if name.startswith("-") else []), name]


@pytest.mark.parametrize("name", ["a\nb", "a\x1b[31m", "\u202eabc", "a\u200bb", "a\x7f"])
def test_a_new_trigger_of_such_a_name_is_refused_and_a_stored_one_is_read(name):
    with pytest.raises(InvalidTrigger, match="leave out line breaks, control characters"):
        check_new(make_trigger("task", name=name, action={"type": "task", "base_task_id": "b", "queue": "q"}))
    with pytest.raises(Usage, match="leave out line breaks"):
        TriggerScheduler().add_task_trigger(name=name, schedule_task_id="b", schedule_queue="q")
    stored = make_trigger("task", name=name, action={"type": "task", "base_task_id": "b", "queue": "q"})
    assert type(stored).from_json(stored.to_json()) == stored
    with pytest.raises(InvalidTrigger):
        compare([stored], Snapshot(1, {}), prune=False)
    (change,) = compare([stored], Snapshot(1, {stored.id: Entry(stored, 0, 1, "script")}), prune=False)
    assert change.what == "same"
    section = json.dumps([{"name": name, "base_task_id": "b", "queue": "q"}])
    (problem,) = read_section("task", section, {}, []).problems
    assert "leave out line breaks" in problem
    assert read_section("task", section, {}, [stored]).problems == ()
