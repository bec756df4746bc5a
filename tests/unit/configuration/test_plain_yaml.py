"""Large plain files mean the same as by PyYAML's own loader; all others are left to it."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from triggers.base.bounds import DEEPEST, MOST_VALUES
from triggers.base.errors import Usage
from triggers.configuration import document, plain_yaml

SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(), st.dates(), st.datetimes(),
    st.sampled_from(["yes", "~", "0x1f", "1_000", "12:30:45", "<<", "=", "null", "1e3", "- a", "a: b", "#", " x ", ""]),
)  # fmt: skip
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4)
)
ODD = [
    "a: &x 1\nb: *x", "a: !!str 1", "!!map {a: 1}", "a: 1\na: 2", "{<<: {a: 1}}", "? [a]\n: 1", "a: 1\n---\nb: 2",
    "a: [", "=: 1", "a: !python/object:os.system x",
]  # fmt: skip


@given(VALUES, st.sampled_from([None, True, False]))
def test_a_plain_document_means_the_same(value: object, flow: bool | None) -> None:
    text = yaml.safe_dump(value, default_flow_style=flow, allow_unicode=True)
    expected = yaml.safe_load(text)
    try:
        assert plain_yaml.read(text) == expected
    except plain_yaml.NotPlain:
        assert any(sign in text for sign in ("<<", "=", "!!")), text


@pytest.mark.parametrize("text", ODD)
def test_what_is_not_plain_is_left_to_the_full_loader(text: str) -> None:
    with pytest.raises(plain_yaml.NotPlain):
        plain_yaml.read(text)


@pytest.mark.parametrize("text", ["[" * 100_000, "{a: " * 100_000, "- " * 100_000, "[1]," * 100_000 + "]"])
def test_deep_and_broken_texts_end_in_words(text: str) -> None:
    with pytest.raises(plain_yaml.NotPlain):
        plain_yaml.read(text)


def test_bounds_hold_for_plain_files() -> None:
    with pytest.raises(Usage, match=f"more than {MOST_VALUES:,} values"):
        document.parse("triggers:\n" + "- a\n" * (MOST_VALUES + 1), "t.yaml")
    deep = "triggers: " + "[" * (DEEPEST + 1) + "]" * (DEEPEST + 1)
    with pytest.raises(Usage, match="nested more than"):
        document.parse(f"{deep}\n" + "#" * plain_yaml.LARGE, "t.yaml")


def test_a_large_file_with_an_error_says_where_it_stands() -> None:
    lines = "".join(f"- {{kind: task, name: t{n}, schedule_task_id: a, schedule_queue: q}}\n" for n in range(2_000))
    with pytest.raises(Usage, match=r"given twice(.|\n)*line 2002"):
        document.parse(f"triggers:\n{lines}- {{kind: task, kind: task}}\n", "t.yaml")


def test_events_have_no_value_of_their_own() -> None:
    assert plain_yaml.read("") is None
    assert plain_yaml.read("# nothing") is None
    assert plain_yaml.read("a:") == {"a": None}
