"""Budgets of memory: the oldest of what has ended is forgotten where it takes more than is allowed."""

from __future__ import annotations

import time
from typing import Final

from triggers.context import Context
from triggers.ledger import forgetting

#: Pause between two looks of one process, seconds.
PACE_SECONDS: Final = 60.0


def keep_to_budgets(ctx: Context, pace_seconds: float = PACE_SECONDS) -> None:
    """Look whether finished firings and launches take more memory than their budgets, if that is due; forget some."""
    if time.monotonic() - ctx.forgot_at < pace_seconds:
        return
    ctx.forgot_at = time.monotonic()
    of, forget = ctx.settings, ctx.ledger.forgetting
    before_ms = ctx.ledger.now_ms() - forgetting.KEPT_MS
    forget.ended(forgetting.allowed(of.firings_megabytes, forgetting.FIRING_BYTES), before_ms)
    forget.launched(forgetting.allowed(of.launched_megabytes, forgetting.LAUNCHED_BYTES), before_ms)
