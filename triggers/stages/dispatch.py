"""Dispatch: carry out the firings that are due, several at a time, exactly once each."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

from triggers.actions.endings import Unwritten
from triggers.actions.launching.batch import settle_recorded
from triggers.actions.launching.looking import look_for_launches
from triggers.actions.table import carry_out
from triggers.base.logs import logger
from triggers.context import Context
from triggers.ledger import leases
from triggers.ledger.firings.firing import Claim, Firing
from triggers.rules.batches import next_size
from triggers.stages.admission import admit, admit_again
from triggers.stages.taking import take
from triggers.stages.turn import Turn

log = logger(__name__)


def dispatch(ctx: Context) -> int:
    """Take the firings that are due, until none is or it is the turn of others; how many were taken.

    Any number of dispatchers may call it at once, on any host; each firing has one owner at a time.
    """
    if ctx.api.pause_seconds:  # reconcile hints at what is due
        ctx.ledger.hinted.take("dispatch")
        return 0
    with Unwritten(ctx, "dispatch") as unwritten:
        return _work(ctx, unwritten)


def _work(ctx: Context, unwritten: Unwritten) -> int:
    taken, turn, limit = 0, Turn(ctx, "dispatch"), ctx.settings.batch_firings
    while True:
        began = time.monotonic()
        claim = take(ctx, "dispatch", limit, hinted=not taken, first=unwritten.calls())
        unwritten.written(claim.before)
        trip_seconds = time.monotonic() - began
        if not claim.firings:
            return taken
        if not taken and len(claim.firings) >= limit:
            ctx.hint("dispatch")  # there may be more: others help
        taken += len(claim.firings)
        with _keeping(ctx, claim.firings):
            _carry_out(ctx, claim, unwritten)
        if ctx.api.pause_seconds:
            return taken
        if turn.is_over():
            turn.pass_on()
            return taken
        limit = next_size(limit, time.monotonic() - began, trip_seconds)


def _keeping(ctx: Context, firings: Iterable[Firing]) -> Any:
    held = list(firings)

    def extend() -> None:
        lost = set(ctx.ledger.firings.renew("dispatch", held, ctx.settings.lease_seconds))
        held[:] = [firing for firing in held if firing.key not in lost]

    return leases.renewing(ctx.settings.lease_seconds / 3, extend)


def _carry_out(ctx: Context, claim: Claim, unwritten: Unwritten) -> None:
    ctx.know_epoch()
    plan = ctx.plan(claim.registry_version)
    attempts = admit(ctx, plan, claim.firings, begun=claim.begun)
    recorded = [a for a in attempts if a.firing.task]
    settle_recorded(recorded)
    # where the record was void, a later attempt that Redis has forgotten may have launched
    look_for_launches(recorded)
    admit_again([a for a in recorded if not a.done and a.cleared], plan)
    for attempt in attempts:
        attempt.unwritten = unwritten
    carry_out([a for a in attempts if not a.done])
    if any(firing.has_parts for firing in claim.firings):
        unwritten.write()  # which grants those that wait for the launch
        ctx.hint("act")
