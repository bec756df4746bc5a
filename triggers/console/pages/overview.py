"""The first page of a scheduler: how it is doing, and its triggers."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from starlette.responses import Response

from triggers.console.pages.tables import Row, rows_of
from triggers.console.request import Asked
from triggers.explain.prepared import prepared
from triggers.ledger.firings.firing import trigger_digest
from triggers.ledger.registry.registry import Entry
from triggers.operate.status import read_status
from triggers.operate.target import Target

#: Triggers of one page.
SIZE: Final = 50

#: What the list can be narrowed to, in words.
STATES: Final = ("paused", "muted", "failing", "held", "dead")


@dataclass(frozen=True, slots=True)
class TriggerRows:
    """Some triggers, how many there are in all, and where to go on, "" at the end."""

    rows: list[Row]
    count: int
    next: str


def page(asked: Asked) -> Response:
    """Alarms, stages, rates, and a page of triggers."""
    target = asked.scheduler.target
    words, state, after = asked.query.get("q", ""), asked.query.get("state", ""), asked.query.get("after", "")
    asked.scheduler.activity.read_on()
    status = read_status(target, last=8)
    return asked.page(
        "overview.html",
        status=status,
        listed=_listed(asked, words, state if state in STATES else "", after),
        budget=status.api_calls,
        states=STATES,
        words=words,
        state=state,
        unreadable=target.ledger.registry.snapshot().whys,
    )


def _listed(asked: Asked, words: str, state: str, after: str) -> TriggerRows:
    target = asked.scheduler.target
    chosen, wanted = prepared(target.ledger.registry).by_name, words.casefold()
    if wanted:
        chosen = [row for row in chosen if wanted in row[1].trigger.name.casefold()]
    if state:
        is_so = _state(target, state)
        chosen = [row for row in chosen if is_so(row[1])]
    start = bisect_right(chosen, after, key=lambda row: row[0]) if after else 0
    shown = chosen[start : start + SIZE]
    more = start + SIZE < len(chosen)
    return TriggerRows(rows_of(asked, [entry for _, entry in shown]), len(chosen), shown[-1][0] if more else "")


def _state(target: Target, state: str) -> Callable[[Entry], bool]:
    """Whether a trigger is paused, or has firings that fail, are held or are dead."""
    ledger = target.ledger
    if state == "paused":
        return lambda entry: entry.paused
    if state == "muted":
        muted = ledger.mutes.at(ledger.now_ms())
        return lambda entry: entry.trigger.id in muted
    if state == "failing":
        failing = {one.trigger for one in ledger.retrying.failing()}
        return lambda entry: entry.trigger.id in failing
    held, dead = ledger.retrying.held_and_dead(ledger.firings.holds())
    counts = held if state == "held" else dead
    return lambda entry: counts[trigger_digest(ledger.scheduler, entry.trigger.id)] > 0
