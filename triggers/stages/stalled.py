"""Stages that get nowhere, as the ledger shows it: what is due, and nobody takes."""

from __future__ import annotations

from typing import Final

from triggers.ledger.ledger import Ledger
from triggers.ledger.registry import Snapshot
from triggers.ledger.waiting import Line
from triggers.stages import table

#: What is so much overdue is taken by nobody, ms: reconcile gives hints every two seconds.
STALE_MS: Final = 60_000

_LOOK: Final = "look with `clearml-triggers doctor`"


def stalled(ledger: Ledger, snapshot: Snapshot, poll_seconds: float, began_ms: int) -> dict[str, tuple[str, str]]:
    """Name → (kind, text) of each stage that has stopped.

    Args:
        ledger: of the scheduler.
        snapshot: its registry.
        poll_seconds: its pace.
        began_ms: when somebody first met this run of Redis.
    """
    now_ms, found = ledger.now_ms(), dict[str, tuple[str, str]]()
    late_ms = _poll_late_ms(ledger, now_ms, began_ms) if snapshot.active else 0
    if late_ms > max(STALE_MS, 3000 * poll_seconds):
        found["polls have stopped"] = ("stale poll", f"no poll for {_minutes(late_ms)}: {_LOOK}")
    for row in table.STAGES:
        if backlog := row.backlog:
            late_ms = _overdue_ms(ledger, backlog.line, now_ms)
            if late_ms > STALE_MS and not backlog.at_work(ledger, now_ms - STALE_MS):
                text = backlog.text.format(since=_minutes(late_ms))
                found[backlog.stopped] = (f"stale {row.name}", text)
    return found


def _poll_late_ms(ledger: Ledger, now_ms: int, began_ms: int) -> int:
    """How much the next poll is overdue; where none was ever made, since this run of Redis is known."""
    since_ms = ledger.waiting.next_poll_ms() or began_ms
    return now_ms - since_ms if since_ms else 0


def _overdue_ms(ledger: Ledger, line: Line, now_ms: int) -> int:
    first_ms = ledger.waiting.oldest_ms(line)
    return 0 if first_ms is None else max(0, now_ms - first_ms)


def _minutes(ms: int) -> str:
    return f"{ms / 60_000:.0f} min"
