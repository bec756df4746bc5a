"""Stages that get nowhere, as the ledger shows it: what is due, and nobody takes."""

from __future__ import annotations

from typing import Final

from triggers.ledger.firings.waiting import Line
from triggers.ledger.ledger import Ledger
from triggers.ledger.looks.notify_look import NotifyLook
from triggers.ledger.registry.registry import Snapshot
from triggers.stages import table

#: What is so much overdue is taken by nobody, ms: reconcile gives hints every two seconds.
STALE_MS: Final = 60_000

_LOOK: Final = "run `clearml-triggers doctor`"


def lines() -> list[Line]:
    """The lines in which something waits for a stage."""
    return [row.backlog.line for row in table.STAGES if row.backlog]


def stalled(
    ledger: Ledger, snapshot: Snapshot, poll_seconds: float, began_ms: int, look: NotifyLook | None = None
) -> dict[str, tuple[str, str]]:
    """Name → (kind, text) of each stage that has stopped.

    Args:
        ledger: of the scheduler.
        snapshot: its registry.
        poll_seconds: its pace.
        began_ms: when somebody first met this run of Redis.
        look: what was just seen of `lines`; None to look now.
    """
    seen = look or ledger.look_before_notify(lines(), ("told",))
    now_ms, found = seen.now_ms, dict[str, tuple[str, str]]()
    # where no poll was ever made, since this run of Redis is known
    since_ms = seen.next_poll_ms or began_ms
    late_ms = now_ms - since_ms if since_ms and snapshot.active else 0
    if late_ms > max(STALE_MS, 3000 * poll_seconds):
        found["polls have stopped"] = ("stale poll", f"no poll for {_minutes(late_ms)}: {_LOOK}")
    for row in table.STAGES:
        if backlog := row.backlog:
            first_ms = seen.oldest_ms.get(backlog.line)
            late_ms = 0 if first_ms is None else max(0, now_ms - first_ms)
            if late_ms > STALE_MS and not backlog.at_work(ledger, now_ms - STALE_MS):
                text = backlog.text.format(since=_minutes(late_ms))
                found[backlog.stopped] = (f"stale {row.name}", text)
    return found


def _minutes(ms: int) -> str:
    return f"{ms / 60_000:.0f} min"
