"""The demo's table: one row for each change, with the milliseconds from step to step."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from rich import box
from rich.console import Group, RenderableType
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from triggers.cli.demo.watch import Passage

#: From this width on, ids are shown in full.
_WIDE = 110


def render(passages: Sequence[Passage], status: str, *, width: int) -> RenderableType:
    """The table as it stands, and below it what is going on."""
    return Group(table(passages, width=width), Spinner("dots", Text(status, style="dim")))


def table(passages: Sequence[Passage], *, width: int) -> Table:
    """The table as it stands."""
    shown = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False)
    shown.add_column("change", no_wrap=True)
    shown.add_column("trigger", no_wrap=True, style="cyan")
    for step in ("event", "firing", "launch"):
        shown.add_column(f"→ {step}", justify="right", no_wrap=True)
    shown.add_column("total", justify="right", no_wrap=True, style="bold")
    shown.add_column("ClearML task", style="green")
    for passage in passages:
        shown.add_row(*_cells(passage, full=width >= _WIDE))
    return shown


def _cells(passage: Passage, *, full: bool) -> list[str]:
    change = passage.change
    times = (passage.changed_ms, passage.stored_ms, passage.granted_ms, passage.launched_ms)
    between = [_between(before, after) for before, after in pairwise(times)]
    tasks = " ".join(launch.task if full else launch.task[:8] for launch in passage.launches)
    return [change.change, change.trigger, *between, _between(times[0], times[-1]), tasks]


def _between(before: int | None, after: int | None) -> str:
    return "…" if before is None or after is None else f"{after - before} ms"
