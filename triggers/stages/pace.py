"""The pause after a poll: longer while nothing changes, and where the month's calls would not do otherwise."""

from __future__ import annotations

from triggers.context import Context
from triggers.rules import api_budget
from triggers.rules.pace import pace_seconds


def stretch(ctx: Context, token: str, *, pace: float, quiet_pace: float, sources: int) -> float:
    """Let the next poll wait as long as it may; the pause, seconds. Call it at the end of a poll, holding its lease.

    Args:
        ctx: the scheduler.
        token: of the poll lease.
        pace: by which the next poll is due as yet, seconds.
        quiet_pace: after ten quiet minutes; 0 where the poll failed, which is then made again as soon as calls suffice.
        sources: that a poll reads; each costs a call.
    """
    reading, limit = ctx.ledger.reading, ctx.settings.api_calls_per_month
    by_quiet = pace if quiet_pace <= pace else pace_seconds(pace, quiet_pace, reading.quiet_ms() / 1000)
    by_budget = pace
    if limit is not None:
        calls, usage = sources * ctx.ledger.calls.schedulers(), ctx.ledger.calls.usage()
        by_budget = api_budget.poll_seconds(limit, usage, calls_per_poll=calls, pace_seconds=pace)
    wanted = max(by_quiet, by_budget)
    if wanted > pace:
        reading.stretch(token, wanted - pace, by_budget=by_budget - pace, limit=limit)
    return wanted
