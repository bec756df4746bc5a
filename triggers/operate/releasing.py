"""How long firings that wait will take to launch, by the pace of their triggers."""

from __future__ import annotations

from triggers.operate.target import Target
from triggers.rules.policies import limit_of


def minutes(target: Target, trigger: str, firings: int) -> int:
    """Whole minutes from a release until the last of so many firings of a trigger may launch; 0 within the first."""
    entry = target.ledger.registry.snapshot().get(trigger)
    if entry is None or firings <= 0:
        return 0
    limit = limit_of(entry.trigger.policy, target.settings.max_per_minute)
    return (firings - 1) // limit if limit else 0


def in_words(minutes: int) -> str:
    """How long the last of them waits, "" where that is not worth saying."""
    if not minutes:
        return ""
    shown = f"{minutes} min" if minutes < 120 else f"{minutes / 60:.0f} h"
    return f"the rate limit lets the last one launch after about {shown}"
