"""How verbs print: tables of one style, JSON, lines."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.table import Table

#: Colours of states and of what happened, the same everywhere.
STYLES = {
    "active": "green", "new": "cyan", "paused": "yellow", "retired": "dim", "granted": "dim", "launched": "green",
    "skipped": "dim", "held": "yellow", "waiting": "cyan", "retry": "yellow", "dead": "bold red", "dropped": "dim",
    "ok": "green", "warn": "yellow", "bad": "bold red",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Column:
    """One column. `grows` takes the room that is left and breaks its text into lines; the others do not."""

    title: str
    right: bool = False
    grows: bool = False
    style: str = ""
    least: int | None = None
    most: int | None = None


def console() -> Console:
    """The console of this verb, as wide as the terminal (80 where there is none, or COLUMNS)."""
    from rich.console import Console

    return Console(highlight=False)


def table(columns: Sequence[Column], rows: Iterable[Sequence[RenderableType | None]], *, header: bool = True) -> Table:
    """A table without a frame."""
    from rich import box
    from rich.table import Table

    shown = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False, show_header=header)
    for column in columns:
        shown.add_column(
            column.title,
            justify="right" if column.right else "left",
            style=column.style,
            no_wrap=not column.grows,
            overflow="fold" if column.grows else "ellipsis",
            ratio=1 if column.grows else None,
            min_width=column.least,
            max_width=column.most,
        )
    for row in rows:
        shown.add_row(*row)
    return shown


def pairs(rows: Iterable[tuple[str, RenderableType]]) -> Table:
    """Names and values, one pair a line."""
    from rich.table import Table

    shown = Table.grid(padding=(0, 2, 0, 0))
    shown.add_column(style="bold", no_wrap=True)
    shown.add_column(overflow="fold")
    for name, value in rows:
        shown.add_row(name, value)
    return shown


def text(words: str, style: str = "", link: str = "") -> Any:
    """Plain text, never read as markup; a link where the terminal knows them."""
    from rich.text import Text

    return Text(words, style=f"{style} link {link}".strip() if link else style)


def styled(word: str) -> Any:
    """A state or an outcome in its colour."""
    return text(word, STYLES.get(word, ""))


def print_json(value: Any) -> None:
    """One JSON document on standard output."""
    print(json.dumps(value, indent=2, ensure_ascii=False))


def print_json_line(value: Any) -> None:
    """One JSON object a line, at once."""
    print(json.dumps(value, ensure_ascii=False), flush=True)


def note(words: str) -> None:
    """A line for people that is no part of what was asked for."""
    print(words, file=sys.stderr)


def plural(count: int, word: str) -> str:
    """The number with its word."""
    return f"{count} {word}" if count == 1 else f"{count} {word}s"
