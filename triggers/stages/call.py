"""Call: carry out firings whose action is up to the process that declared it, such as a function of a script."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from triggers.actions.functions import Function
from triggers.actions.table import carry_out
from triggers.base.errors import Fenced
from triggers.base.logs import logger
from triggers.context import Context
from triggers.ledger import leases
from triggers.ledger.firings.firing import Claim, Firing
from triggers.stages.admission import admit
from triggers.stages.taking import take

log = logger(__name__)


def claim(ctx: Context, running: Iterable[Firing] = ()) -> Claim | None:
    """Take one firing that waits for this process, None if none is due; never one that is `running` in it."""
    claimed = take(ctx, "caller", 1, running)
    return claimed if claimed.firings else None


def carry(ctx: Context, claimed: Claim, functions: Mapping[str, Function]) -> None:
    """Call the function of a firing just taken, and say how it ended.

    Any number of threads may do so at once: a function that hangs keeps its own thread and no other.

    Args:
        ctx: the scheduler.
        claimed: the one firing.
        functions: trigger id → the function that this process declared for it.
    """
    (firing,) = claimed.firings

    def extend() -> None:
        if ctx.ledger.firings.renew("caller", [firing], ctx.settings.lease_seconds):
            raise Fenced(f"firing {firing.key} was taken by another")

    with leases.renewing(ctx.settings.lease_seconds / 3, extend):
        for attempt in admit(ctx, ctx.plan(claimed.registry_version), [firing], "caller"):
            attempt.function = functions.get(firing.trigger)
            carry_out([attempt])
    if firing.has_parts:
        ctx.hint("act")
