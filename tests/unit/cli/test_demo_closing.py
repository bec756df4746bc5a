"""What the demo says in the end."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest

import triggers
from triggers.cli import output
from triggers.cli.demo.play import closing_line

#: an end of rich's markup, which no console of the verbs reads
MARKUP = re.compile(r"\[/[a-z ]*\]")


@pytest.mark.parametrize(
    ("launched", "good", "said"),
    [
        (5, True, "5 changes, 5 launches, each once, by the server's own queue and request log."),
        (4, False, "not as expected: 5 changes, 4 launched once; 6 ClearML tasks in the server's queue, 7 clones in"),
    ],
)
def test_the_closing_line_shows_no_markup(monkeypatch: pytest.MonkeyPatch, launched: int, good: bool, said: str):
    monkeypatch.setenv("COLUMNS", "300")
    console = output.console()
    console.file = io.StringIO()
    console.print(closing_line({"expected": 5, "launched": launched}, 6, 7, good=good))
    assert console.file.getvalue().startswith(said)


def test_no_text_of_this_package_has_markup_in_it():
    """Strings are printed as they are, by every verb and every log line; styles come with `output.text`."""
    texts = {file: file.read_text("utf-8") for file in Path(triggers.__file__).parent.rglob("*.py")}
    strings = [(file, one) for file, text in texts.items() for one in re.findall(r'"[^"\n]*"', text)]
    assert [one for one in strings if MARKUP.search(one[1])] == []
