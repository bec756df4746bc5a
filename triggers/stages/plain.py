"""Plain triggers ask for nothing but their pace before they launch, so that a launch begins with its claim."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from triggers.context import Context
from triggers.ledger.firings.firing import Firing, PlainTriggers
from triggers.ledger.registry.registry import Entry
from triggers.rules.policies import limit_of

#: Triggers that a claim names at most: those whose firings this process has had last.
MOST: Final = 20


def note_claimed(ctx: Context, firings: Iterable[Firing]) -> None:
    """Remember whose firings these are."""
    for trigger in {firing.trigger for firing in firings}:
        ctx.claimed_lately.pop(trigger, None)
        ctx.claimed_lately[trigger] = None
    for trigger in list(ctx.claimed_lately)[:-MOST]:
        ctx.claimed_lately.pop(trigger, None)


def plain_triggers(ctx: Context) -> PlainTriggers | None:
    """Those of them that are plain, as this process knows the registry; None where nothing is known.

    After an epoch that may have forgotten launches, those are looked for before anything is counted.
    """
    plan = ctx.plan_at_hand
    if plan is None or ctx.epoch.has_forgotten:
        return None
    found = {id_: entry for id_ in list(ctx.claimed_lately) if (entry := plan.entries.get(id_)) and _is_plain(entry)}
    limits = {id_: limit_of(entry.trigger.policy, ctx.settings.max_per_minute) for id_, entry in found.items()}
    return PlainTriggers(plan.snapshot.version, limits) if limits else None


def _is_plain(entry: Entry) -> bool:
    trigger = entry.trigger
    return not entry.paused and not trigger.slot and trigger.action.lane == "dispatch"
