"""Rows that several pages show: triggers with their counts, entries of the history, firings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from markupsafe import Markup

from triggers.base.plural import plural
from triggers.console.request import Asked
from triggers.console.wording import sparkline
from triggers.ledger.registry.registry import Entry
from triggers.operate import wording
from triggers.operate.query import View, state_of, views_of
from triggers.operate.words import WORDS

#: Minutes and bars of a sparkline.
MINUTES, BARS = 60, 24
_COUNTED: Final = tuple(WORDS)


@dataclass(frozen=True, slots=True)
class Row:
    """One trigger of a list."""

    view: View
    state: str
    condition: str
    action: str
    spark: Markup
    last_outcome: str


def rows_of(asked: Asked, entries: list[Entry]) -> list[Row]:
    """The rows of some triggers; what it costs depends on how many these are, and not on how many there are."""
    target, now_ms = asked.scheduler.target, asked.now_ms
    tallies = target.ledger.history.tallies_of([entry.trigger.id for entry in entries], _COUNTED)
    rows = []
    for view in views_of(target, entries, tallies):
        trigger = view.entry.trigger
        counts = asked.scheduler.activity.launches(trigger.id, now_ms, MINUTES, BARS)
        words = f"{plural(sum(counts), 'launch', 'launches')} in the last hour"
        last = max((one for one in tallies if one.trigger == trigger.id), key=lambda one: one.last_ms, default=None)
        rows.append(
            Row(
                view,
                state_of(target, view, now_ms),
                wording.condition(trigger),
                wording.action(trigger),
                sparkline(counts, words),
                last.what if last else "",
            )
        )
    return rows
