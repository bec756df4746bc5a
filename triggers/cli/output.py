"""How verbs print: tables of one style, JSON, lines. All that a verb shows goes through here.

On a terminal, or where COLUMNS says how wide one is, tables fit its width. Into a pipe or a file each row is one line,
whole, its cells between tabs.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from triggers.base.plural import named, plural
from triggers.base.terminal import say, say_json, say_page, say_row
from triggers.cli.line import PlainLine
from triggers.cli.streams import shows_unicode

if TYPE_CHECKING:
    from rich.console import RenderableType

    from triggers.cli.screen import Screen, Shown

__all__ = [
    "STYLES", "Column", "Grid", "Pairs", "console", "fits_a_terminal", "flat", "named", "note", "pairs", "plural",
    "print_json", "print_json_line", "rendered", "rows", "say", "say_page", "show", "show_rows", "styled", "table",
    "text", "width",
]  # fmt: skip

#: Colors of states and of what happened, the same everywhere.
STYLES = {
    "active": "green", "new": "cyan", "paused": "yellow", "retired": "dim", "granted": "dim", "launched": "green",
    "skipped": "dim", "held": "yellow", "waiting": "cyan", "failed": "yellow", "dead": "bold red", "dropped": "dim",
    "acted": "green", "resolved": "dim", "tried": "dim", "failing": "bold yellow",
    "ok": "green", "warn": "yellow", "bad": "bold red",
}  # fmt: skip

#: Rows of a table on a terminal, where --limit says nothing. Pipes and JSON get all.
ROWS: Final = 500

#: What a column that takes the rest of the room needs at least, to be read with ease.
_LEAST_READABLE: Final = 16
#: Blanks between two columns.
_GAP: Final = 2
#: The width of what is not cut to any.
_UNBOUND: Final = 10_000


@dataclass(frozen=True, slots=True)
class Column:
    """One column. `grows` takes the room that is left; it and one that `folds` break their text into lines."""

    title: str
    right: bool = False
    grows: bool = False
    folds: bool = False
    style: str = ""
    least: int | None = None
    most: int | None = None


@dataclass(frozen=True)
class Grid:
    """A table to be shown. Cells are texts as `text` makes them, or strings."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[Any, ...], ...]
    header: bool = True


@dataclass(frozen=True)
class Pairs:
    """Names and values to be shown, one pair a line."""

    rows: tuple[tuple[str, Any], ...]


def fits_a_terminal() -> bool:
    """Whether what is printed is laid out for a width."""
    return sys.stdout.isatty() or bool(os.environ.get("COLUMNS"))


def width() -> int:
    """Columns of the terminal; more than anything needs where there is none."""
    return console().width if fits_a_terminal() else _UNBOUND


def console(*, stderr: bool = False) -> Screen:
    """The console of this verb, as wide as the terminal."""
    from triggers.cli.screen import Screen

    return Screen(stderr=stderr)


def table(columns: Sequence[Column], rows: Iterable[Sequence[Any]], *, header: bool = True) -> Grid:
    """A table without a frame."""
    return Grid(tuple(columns), tuple(tuple(map(_cell, row)) for row in rows), header)


def pairs(rows: Iterable[tuple[str, Any]]) -> Pairs:
    """Names and values, one pair a line."""
    return Pairs(tuple((name, _cell(value)) for name, value in rows))


def _cell(value: Any) -> Any:
    return text(value) if isinstance(value, str) else value


def show(*parts: Grid | Pairs | Any, whole: bool = False) -> None:
    """Print tables, pairs and texts, one below the other; `whole`: texts that people copy are not broken."""
    if fits_a_terminal():
        out = console()
        for part in parts:
            out.print(rendered(part, out.width), soft_wrap=whole)
        return
    for part in parts:
        for line in flat(part):
            say_row(line)


def show_rows(columns: Sequence[Column], rows: Iterable[Sequence[Any]], empty: str, *, header: bool = True) -> None:
    """Print a table; one without rows is a line that says so, on standard error."""
    grid = table(columns, rows, header=header)
    if grid.rows:
        show(grid)
    else:
        note(empty)


def rendered(part: Grid | Pairs | Any, room: int) -> RenderableType:
    """A part as rich shows it in so many columns."""
    if isinstance(part, Pairs):
        return _rendered_pairs(part)
    if not isinstance(part, Grid):
        return part  # type: ignore[no-any-return]
    return _rendered_grid(part) if _needs(part) <= room else _rendered_records(part)


def flat(part: Grid | Pairs | Any) -> Iterable[str]:
    """A part as whole lines."""
    if isinstance(part, Grid):
        if part.header:
            yield "\t".join(column.title for column in part.columns)
        for row in part.rows:
            yield "\t".join(_one_line(cell) for cell in row)
    elif isinstance(part, Pairs):
        for name, value in part.rows:
            yield f"{name}\t{_one_line(value)}"
    else:
        yield from _plain(part).split("\n")


def _plain(cell: Any) -> str:
    return str(getattr(cell, "plain", cell))


def _one_line(cell: Any) -> str:
    return " ".join(_plain(cell).split()) if any(sign in _plain(cell) for sign in "\n\t") else _plain(cell)


def _needs(grid: Grid) -> int:
    """Columns that a table needs to be readable."""
    return sum(_needs_of(grid, place, column) for place, column in enumerate(grid.columns)) + _GAP * (
        len(grid.columns) - 1
    )


def _needs_of(grid: Grid, place: int, column: Column) -> int:
    lines = [line for row in grid.rows for line in _plain(row[place]).split("\n")]
    widest = max([*map(len, lines), len(column.title) if grid.header else 0])
    if column.grows:
        return min(widest, _LEAST_READABLE)
    return max(min(widest, column.most or widest), column.least or 0)


def _rendered_grid(grid: Grid) -> RenderableType:
    from rich import box
    from rich.table import Table

    shown = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False, show_header=grid.header)
    for column in grid.columns:
        breaks = column.grows or column.folds
        shown.add_column(
            column.title,
            justify="right" if column.right else "left",
            style=column.style,
            no_wrap=not breaks,
            overflow="fold" if breaks else "ellipsis",
            ratio=1 if column.grows else None,
            min_width=column.least,
            max_width=column.most,
        )
    for row in grid.rows:
        shown.add_row(*row)
    return shown


def _rendered_records(grid: Grid) -> RenderableType:
    """Each row as lines of name and value: readable however narrow the terminal."""
    from rich.console import Group

    titles = [column.title for column in grid.columns]
    parts: list[Any] = []
    for row in grid.rows:
        filled = [(title, cell) for title, cell in zip(titles, row, strict=True) if _plain(cell).strip()]
        parts += [_rendered_pairs(Pairs(tuple(filled))), ""]
    return Group(*parts[:-1])


def _rendered_pairs(of: Pairs) -> RenderableType:
    from rich.table import Table

    shown = Table.grid(padding=(0, 2, 0, 0))
    shown.add_column(style="bold", no_wrap=True)
    shown.add_column(overflow="fold")
    for name, value in of.rows:
        shown.add_row(name, value)
    return shown


def text(words: str, style: str = "", link: str = "") -> Shown | PlainLine:
    """One line of plain text, never read as markup; a link where the terminal knows them. `below` adds a line."""
    if not fits_a_terminal():
        return PlainLine(words)
    from triggers.cli.screen import Shown

    return Shown(words, style, link)


def styled(words: str) -> Shown | PlainLine:
    """A state or an outcome in its color; what follows its first word has the same."""
    return text(words, STYLES.get(words.partition(" ")[0].rstrip(","), ""))


def print_json(value: Any) -> None:
    """One JSON document on standard output."""
    say_json(value, indent=2, ascii_only=not shows_unicode())


def print_json_line(value: Any) -> None:
    """One JSON object a line, at once."""
    say_json(value, ascii_only=not shows_unicode())


def note(words: str) -> None:
    """A line for people that is not part of what was asked for."""
    say(words, error=True)


def rows(limit: int | None, *, as_json: bool) -> int | None:
    """How many rows to show, None for all."""
    if limit is None:
        return ROWS if fits_a_terminal() and not as_json else None
    return limit or None
