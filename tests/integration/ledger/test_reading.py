"""What a poll has stored is not stored again; what changed again within the same millisecond is."""

from __future__ import annotations

from dataclasses import replace

from tests.integration.ledger.helpers import store_batch, task_event
from triggers.ledger import Ledger
from triggers.model.events import Metric

NOW_MS = 1_795_616_065_123


def test_a_change_that_was_stored_is_not_unseen(ledger: Ledger) -> None:
    events = [task_event(f"{number:032x}", NOW_MS + number, name=f"name {number}") for number in range(500)]
    assert ledger.reading.unseen("tasks", events) == events
    store_batch(ledger, events)
    assert ledger.reading.unseen("tasks", events) == []
    assert ledger.reading.unseen("models", events) == events, "each source has a memory of its own"


def test_a_second_state_of_the_same_millisecond_is_unseen(ledger: Ledger) -> None:
    event = task_event(changed_ms=NOW_MS, status="in_progress")
    store_batch(ledger, [event])
    others = [
        replace(event, status="failed"),
        replace(event, tags=("a",)),
        replace(event, metrics={"a.b": Metric(1.0, 1.0, float("nan"))}),
        replace(event, changed_ms=NOW_MS + 1),
    ]
    assert ledger.reading.unseen("tasks", [event, *others]) == others
    assert ledger.reading.unseen("tasks", [replace(event, project="renamed")]) == []
