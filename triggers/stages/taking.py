"""Taking firings that are due; one that nobody can read ends here, as a dead letter."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from triggers.base.errors import Fenced
from triggers.base.logs import logger
from triggers.context import Context
from triggers.ledger.firings.firing import Claim, Firing
from triggers.ledger.store import ScriptCall
from triggers.model.action import Lane
from triggers.stages.plain import note_claimed, plain_triggers
from triggers.sync.recall import recall

log = logger(__name__)


def take(
    ctx: Context,
    lane: Lane,
    limit: int,
    running: Iterable[Firing] = (),
    *,
    hinted: bool = False,
    first: Sequence[ScriptCall] = (),
) -> Claim:
    """Lease up to `limit` firings that are due, oldest first; of what cannot be read some more are looked at.

    Nothing is claimed only when nothing is due, or when what is due waits for workers of a later release.
    `hinted`: the hint of the lane is taken with it. `first`: what is to be done first, in the same trip; its answers
    are `Claim.before`.
    """
    recall(ctx)
    running, taking = list(running), [ctx.ledger.hinted.taking(lane)] if hinted else []
    seconds, plain = ctx.settings.lease_seconds, plain_triggers(ctx) if lane == "dispatch" else None
    claim = ctx.ledger.firings.claim(lane, limit, seconds, running, [*taking, *first], plain)
    answers = claim.before[len(taking) :]
    while True:
        give_up_unreadable(ctx, claim, lane)
        if claim.firings or not claim.unreadable:
            if lane == "dispatch":
                note_claimed(ctx, claim.firings)
            return replace(claim, before=answers)
        claim = ctx.ledger.firings.claim(lane, limit, seconds, running, taking, plain)


def give_up_unreadable(ctx: Context, claim: Claim, lane: Lane) -> None:
    """End what nobody can read as dead letters."""
    for firing in claim.unreadable:
        _give_up(ctx, claim, firing, lane)


def _give_up(ctx: Context, claim: Claim, firing: Firing, lane: Lane) -> None:
    log.error("firing %s is a dead letter: %s", firing.key, firing.unread)
    if firing.unsigned:
        ctx.ledger.refused.note(f"firing {firing.key}", firing.unread, ctx.ledger.now_ms())
    entry = ctx.ledger.registry.snapshot(claim.registry_version).entries.get(firing.trigger)
    try:
        ctx.ledger.firings.give_up(firing, lane, firing.unread, slot=entry.trigger.slot if entry else "")
    except Fenced as loss:
        log.warning("firing %s: %s", firing.key, loss)
