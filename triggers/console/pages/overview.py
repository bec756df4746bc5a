"""The first page of a scheduler: how it is doing, and its triggers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from starlette.responses import Response

from triggers.console.pages.tables import Row, rows_of
from triggers.console.request import Asked
from triggers.ledger.firing import trigger_digest
from triggers.ledger.registry import Entry
from triggers.operate.api_budget import read_budget
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
    return asked.page(
        "overview.html",
        status=read_status(target, last=8),
        listed=_listed(asked, words, state if state in STATES else "", after),
        budget=read_budget(target.ledger, target.settings.api_calls_per_month),
        states=STATES,
        words=words,
        state=state,
        unreadable=target.ledger.registry.snapshot().whys,
    )


def _listed(asked: Asked, words: str, state: str, after: str) -> TriggerRows:
    target = asked.scheduler.target
    entries = sorted(target.ledger.registry.snapshot().active, key=_order)
    wanted = words.casefold()
    chosen = [entry for entry in entries if wanted in entry.trigger.name.casefold()] if wanted else entries
    if state:
        is_so = _state(target, state)
        chosen = [entry for entry in chosen if is_so(entry)]
    start = next((place for place, entry in enumerate(chosen) if _name(entry) > after), len(chosen)) if after else 0
    shown = chosen[start : start + SIZE]
    more = start + SIZE < len(chosen)
    return TriggerRows(rows_of(asked, shown), len(chosen), _name(shown[-1]) if more else "")


def _order(entry: Entry) -> str:
    return _name(entry)


def _name(entry: Entry) -> str:
    return f"{entry.trigger.name}\n{entry.trigger.kind}"


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
