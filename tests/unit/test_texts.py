"""The checks of texts see what they are for, and find nothing here. `make lint` runs all of them."""

from __future__ import annotations

import importlib.util
import os
import re

import pytest

from tests.texts import length, phrases, spelling
from tests.texts.source import Text, of_comments, of_python, texts
from tests.texts.wrap import wrapped

#: The phrases of earlier texts, each with a form that the same pattern has to find.
FOUND = [
    ("overlap: has an effect with single_instance=True only", "have no effect with"),
    ("goes not with schedule_function", "go not with"),
    ("which scheduler, where several live", "where there are several"),
    ("Reconcile gives a hint again where one was lost", "given a hint again"),
    ("who goes on after it", "who went on"),
    ("Exit codes: 0 ok, 1 not so, 2 usage", "2 not so"),
    ("no scheduler lives in DevOps", "schedulers that live here"),
    ("at most so many, the newest", "so many, the newest first"),
    ("what has died there lets go in 40 s", "letting go"),
    ("other has come home for this scheduler", "is at home"),
    ("staying at home is tried again", "stays home"),
    ("the state is a little old", "a little late"),
    ("3 held go", "held goes"),
    ("functions wait: no answer", "the functions wait"),
    ("a stage broke off", "breaking off"),
    ("strays are in doubt", "in doubt"),
    ("Later is waited for", "were waited for"),
    ("corrupt or nonsense", "Nonsense"),
    ("it is set aside", "setting aside"),
    ("what lasts is reported", "What lasts"),
    ("to mend what a crash left", "mends"),
    ("people are told", "Told once"),
    ("it is said once", "as said"),
    ("a promise held by a test", "each held to what it promises"),
    ("fires for ever", "for ever and ever"),
    ("the error names the way out", "no way out"),
    ("a mapping, and 3 is none", "these are none"),
    ("'soon' is no time: give one", "These are no words"),
    ("the lease runs out", "leases that have run out"),
    ("the server takes no calls", "it takes calls again"),
    ("what stands behind # looks like a secret", "what stands in place of a host"),
    ("the last calls are in the hands of others", "in the hands of all"),
]


def text(body: str, kind: str = "docstring") -> Text:
    return Text("file", 1, body, kind)


@pytest.mark.parametrize("forms", FOUND, ids=[forms[0] for forms in FOUND])
def test_a_found_phrase_is_refused_in_its_forms(forms: tuple[str, str]) -> None:
    assert [bool(list(phrases.found(text(form)))) for form in forms] == [True, True]


def test_every_pattern_has_an_example() -> None:
    every = phrases.PATTERNS | phrases.PATTERNS_OF_SENTENCES
    assert {pattern for pattern in every for forms in FOUND if pattern.search(forms[0])} == set(every)


def test_what_reads_alike_and_is_right_is_not_refused() -> None:
    for right in (
        "there is no time",
        "it is no longer due",
        "0 is no limit",
        "disk space runs out",
        "a lease; it ran out",
    ):
        assert list(phrases.found(text(right))) == []
    assert list(phrases.found(text("what is no list is refused", "name"))) == [], "names of tests are short"


def test_a_phrase_over_the_end_of_a_line_is_found_at_its_first_line() -> None:
    ((place, _, _),) = phrases.found(text("Quarantine.\n\n    Data is set\n    aside."))
    assert place == "file:3"


@pytest.mark.parametrize(
    "body", ["`let_go` releases", "the field `told`", "None: it is None", "there is none yet", "told apart"]
)
def test_names_and_ordinary_words_pass(body: str) -> None:
    assert not list(phrases.found(text(body)))


def test_no_text_has_a_phrase_that_was_replaced() -> None:
    assert [problem for one in texts() for problem in phrases.found(one)] == []


def test_texts_of_code_are_docstrings_messages_comments_and_names_of_tests() -> None:
    source = (
        '"""One."""\n\nLABEL = "identifier"\n\n\ndef test_it_works():\n    raise ValueError("no such queue")  # why\n'
    )
    found = {(one.kind, one.text) for one in of_python("triggers/a.py", source)}
    assert found == {("docstring", "One."), ("string", "no such queue"), ("comment", "# why"), ("name", "it works")}
    assert [one.text for one in of_comments("a.yaml", "key: 1  # why\nother: '#no'\n")] == ["why"]


def test_a_long_line_of_a_page_is_found_outside_tables_links_and_code() -> None:
    long = "word " * 30
    page = f"{long}\n| {long} |\n```\n{long}\n```\n[{long}](https://example.com/)\n    {long}\n"
    assert [place for place, _ in length.too_long(text(page, "page"))] == ["file:1"]


@pytest.fixture
def dictionary() -> None:
    if importlib.util.find_spec("spylls") is None:
        missing = pytest.fail if os.environ.get("CI") else pytest.skip
        missing("spylls is not installed: make setup")


@pytest.mark.usefixtures("dictionary")
def test_an_ordinary_misspelling_is_found_and_words_of_the_field_are_not() -> None:
    body = (
        "Launches a Celery task, then `lanuches` it; the poller's webhook gets {plceholder} from <https://exmple.org>"
    )
    assert list(spelling.misspelled(text(body))) == []
    body = "A dispatcher\nresumes the sceduler with a neccessary retry, and finalises colours."
    assert list(spelling.misspelled(text(body))) == [
        ("file:2", "sceduler"), ("file:2", "neccessary"), ("file:2", "finalises"), ("file:2", "colours"),
    ]  # fmt: skip


@pytest.mark.usefixtures("dictionary")
def test_every_word_of_our_list_is_needed() -> None:
    assert [word for word in spelling.own_words() if spelling.dictionary().lookup(word)] == []


def test_wrapping_keeps_tables_code_and_short_paragraphs_and_indents_lists() -> None:
    word = "word " * 40
    page = f"# Title\n\nshort\nlines\n\n- {word}\n  more\n- two\n\n| {word} |\n```\n{word}\n```\n\n    {word}\n"
    once = wrapped(page)
    assert list(length.too_long(text(once, "page"))) == []
    assert once.split() == page.split()
    assert wrapped(once) == once
    assert "short\nlines\n" in once
    assert f"| {word} |\n```\n{word}\n```" in once
    assert re.search(r"^- word .*\n  word .*more\n- two$", once, re.MULTILINE)
