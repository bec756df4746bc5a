"""Tells people that times of the ledger are ahead, after the clock of Redis' host was set back."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from triggers.base.logs import logger
from triggers.context import Context
from triggers.ledger.clock import FALL
from triggers.ledger.history import alarms

log = logger(__name__)

#: The alarm that lasts as long as the ledger's clock is ahead of Redis' by more than that.
LEDGER_CLOCK_ALARM: Final = alarms.REDIS_CLOCK.name
AHEAD_MS: Final = 60_000


def raise_clock_alarm(ctx: Context, known: Collection[str]) -> None:
    """Raise the alarm, or clear it. `known`: those that are set."""
    ahead_ms = ctx.ledger.ahead_ms()
    if ahead_ms <= AHEAD_MS:
        if LEDGER_CLOCK_ALARM in known:
            ctx.ledger.history.clear_alarm(LEDGER_CLOCK_ALARM)
    elif LEDGER_CLOCK_ALARM not in known:
        text = (
            f"the clock of Redis' host was set back by {ahead_ms / 60_000:.0f} min. Nothing waits for it, but "
            f"times that are shown (history, firings, alarms) run ahead by as much, and fall back within "
            f"{ahead_ms * FALL / 3_600_000:.1f} h. Synchronize the clock of that host (NTP)"
        )
        log.warning("%s", text)
        ctx.ledger.history.raise_alarm(LEDGER_CLOCK_ALARM, text, ctx.ledger.now_ms())
