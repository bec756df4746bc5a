"""A line for a pipe says what the same line says on a terminal, and rich can draw it as well."""

from __future__ import annotations

from io import StringIO

import pytest
from rich.console import Console, Group

from triggers.cli import output
from triggers.cli.line import PlainLine
from triggers.cli.screen import Shown

HOSTILE = ["retry", "", "two\nlines", "\x1b[31mred", "a\u202eb", "[bold]no markup[/bold]"]


@pytest.mark.parametrize("words", HOSTILE)
def test_a_plain_line_holds_what_the_drawn_one_holds(words: str) -> None:
    plain = PlainLine(words).append(words, "bold").append(PlainLine(words)).below(words, "dim")
    drawn = Shown(words).append(words, "bold").append(Shown(words)).below(words, "dim")
    assert str(plain) == plain.plain == drawn.plain


@pytest.mark.parametrize("words", HOSTILE)
def test_rich_draws_a_plain_line(words: str) -> None:
    screen = Console(file=StringIO(), width=80)
    screen.print(Group(PlainLine(words).below(words)))
    assert screen.file.getvalue() == f"{Shown(words).below(words).plain}\n"  # type: ignore[attr-defined]


@pytest.mark.parametrize(("columns", "kind"), [("80", Shown), ("", PlainLine)])
def test_a_text_is_plain_where_no_terminal_is(monkeypatch: pytest.MonkeyPatch, columns: str, kind: type) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    monkeypatch.setattr("sys.stdout", StringIO())
    assert isinstance(output.text("retry", "bold"), kind)
