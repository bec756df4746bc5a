"""What the ledger remembers, and how much of its budgets that takes."""

from __future__ import annotations

from collections.abc import Iterator

from triggers.base.plural import plural
from triggers.ledger.firings import forgetting
from triggers.operate.doctor.findings import Finding
from triggers.operate.target import Target


def look(target: Target) -> Iterator[Finding]:
    """Marks of objects, which are kept, and what is forgotten beyond its budget; by the sizes that were measured."""
    ledger, of = target.ledger, target.settings
    marks = sum(ledger.marks.counts([*ledger.registry.snapshot().entries]).values())
    launched, forgotten = ledger.forgetting.launches(), sum(one.count for one in ledger.marks.all().values())
    days = "for good" if of.marks_days is None else f"at most {plural(of.marks_days, 'day')}"
    looked_up = f", {forgotten:,} forgotten" if forgotten else ""
    words = (
        f"{_megabytes(marks, forgetting.MARK_BYTES)} of {of.marks_megabytes:g} MB for {plural(marks, 'object')} "
        f"that fired ({days}{looked_up}); {_megabytes(launched, forgetting.LAUNCHED_BYTES)} of "
        f"{of.launched_megabytes:g} MB for {plural(launched, 'launched task')} "
        f"(at most {plural(of.launched_days, 'day')}); up to {of.firings_megabytes:g} MB for finished firings "
        f"(at most {plural(of.retention_days, 'day')})"
    )
    yield Finding("memory of firings", "ok", words)


def _megabytes(number: int, each: int) -> int:
    return round(number * each / 1_000_000)
