"""What the ledger remembers, and how much of its budgets that takes."""

from __future__ import annotations

from collections.abc import Iterator

from triggers.ledger import forgetting
from triggers.operate.doctor.findings import Finding
from triggers.operate.target import Target


def look(target: Target) -> Iterator[Finding]:
    """Marks of objects, which are kept, and what is forgotten beyond its budget; by the sizes that were measured."""
    ledger, of = target.ledger, target.settings
    marks = sum(ledger.marks.counts([*ledger.registry.snapshot().entries]).values())
    launched, forgotten = ledger.forgetting.launches(), sum(one.count for one in ledger.marks.all().values())
    days = "for good" if of.marks_days is None else f"at most {of.marks_days:g} days"
    looked_up = f", {forgotten:,} forgotten" if forgotten else ""
    words = (
        f"{_megabytes(marks, forgetting.MARK_BYTES)} of {of.marks_megabytes:g} MB for {marks:,} objects that fired "
        f"({days}{looked_up}); {_megabytes(launched, forgetting.LAUNCHED_BYTES)} of {of.launched_megabytes:g} MB for "
        f"{launched:,} launched tasks (at most {of.launched_days:g} days); up to {of.firings_megabytes:g} MB for "
        f"finished firings (at most {of.retention_days:g} days)"
    )
    yield Finding("memory of firings", "ok", words)


def _megabytes(number: int, each: int) -> int:
    return round(number * each / 1_000_000)
