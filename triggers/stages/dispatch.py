"""Dispatch: carry out the firings that are due, several at a time, exactly once each."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from triggers.actions.launching.batch import settle_recorded
from triggers.actions.launching.looking import look_for_launches
from triggers.actions.table import carry_out
from triggers.base.logs import logger
from triggers.context import Context
from triggers.ledger import leases
from triggers.ledger.firing import Firing
from triggers.stages.admission import admit, admit_again
from triggers.stages.taking import take

log = logger(__name__)

#: Batches of firings that one hint leads to at most, so that a flood of one scheduler leaves room for the others.
BATCHES_PER_TURN = 50


def dispatch(ctx: Context) -> int:
    """Take the firings that are due, until none is or it is the turn of others; how many were taken.

    Any number of dispatchers may call it at once, on any host; each firing has one owner at a time.
    """
    taken = 0
    if ctx.api.pause_seconds:  # reconcile hints at what is due
        return 0
    for _ in range(BATCHES_PER_TURN):
        claim = take(ctx, "dispatch", ctx.settings.batch_firings)
        if not claim.firings:
            return taken
        taken += len(claim.firings)
        with _keeping(ctx, claim.firings):
            _carry_out(ctx, claim.firings, claim.registry_version)
        if ctx.api.pause_seconds:
            return taken
    ctx.hints.send("dispatch", ctx.ledger.scheduler)  # behind the hints of the schedulers that share these workers
    return taken


def _keeping(ctx: Context, firings: Iterable[Firing]) -> Any:
    held = list(firings)

    def extend() -> None:
        lost = set(ctx.ledger.firings.renew("dispatch", held, ctx.settings.lease_seconds))
        held[:] = [firing for firing in held if firing.key not in lost]

    return leases.renewing(ctx.settings.lease_seconds / 3, extend)


def _carry_out(ctx: Context, firings: Iterable[Firing], registry_version: int) -> None:
    ctx.know_epoch()
    plan = ctx.plan(registry_version)
    attempts = admit(ctx, plan, firings)
    recorded = [a for a in attempts if a.firing.task]
    settle_recorded(recorded)
    # where the record was void, a later attempt that Redis has forgotten may have launched
    look_for_launches(recorded)
    admit_again([a for a in recorded if not a.done and a.cleared], plan)
    carry_out([a for a in attempts if not a.done])
    if any(firing.has_parts for firing in firings):
        ctx.hints.send("act", ctx.ledger.scheduler)
