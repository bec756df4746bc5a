"""What the ledger remembers, and how much of its budgets that takes."""

from __future__ import annotations

from collections.abc import Iterator

from triggers.ledger import forgetting
from triggers.operate.doctor.findings import Finding
from triggers.operate.target import Target


def look(target: Target) -> Iterator[Finding]:
    """Marks of objects, which are kept, and what is forgotten beyond its budget; by the sizes that were measured."""
    ledger, of = target.ledger, target.settings
    marks, launched = ledger.forgetting.sizes([*ledger.registry.snapshot().entries])
    used = _megabytes(launched, forgetting.LAUNCHED_BYTES)
    words = (
        f"about {_megabytes(marks, forgetting.MARK_BYTES)} MB for {marks:,} objects that fired; "
        f"{used} of {of.launched_megabytes:g} MB for {launched:,} launched tasks (at most {of.launched_days:g} days); "
        f"up to {of.firings_megabytes:g} MB for finished firings (at most {of.retention_days:g} days)"
    )
    yield Finding("memory of firings", "ok", words)


def _megabytes(number: int, each: int) -> int:
    return round(number * each / 1_000_000)
