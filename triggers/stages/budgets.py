"""Budgets of memory: the oldest of what has ended is forgotten where it takes more than is allowed."""

from __future__ import annotations

import time
from typing import Final

from triggers.base.logs import logger
from triggers.context import Context
from triggers.ledger.firings import forgetting
from triggers.ledger.history import alarms
from triggers.stages.marks_budget import keep_marks

log = logger(__name__)

#: Pause between two looks of one process, seconds.
PACE_SECONDS: Final = 60.0
#: Beyond so much of a budget, it is used up faster than what is over can be forgotten.
ALARMING: Final = 1.2


def budgets_are_due(ctx: Context, pace_seconds: float = PACE_SECONDS) -> bool:
    """Whether this process has not looked for so long."""
    return time.monotonic() - ctx.forgot_at >= pace_seconds


def keep_to_budgets(ctx: Context, pace_seconds: float = PACE_SECONDS) -> None:
    """Look whether what is remembered takes more memory than its budgets, if that is due; forget some of it."""
    if not budgets_are_due(ctx, pace_seconds):
        return
    ctx.forgot_at = time.monotonic()
    of, forget, now_ms = ctx.settings, ctx.ledger.forgetting, ctx.ledger.now_ms()
    before_ms = now_ms - forgetting.KEPT_MS
    most = forgetting.allowed(of.firings_megabytes, forgetting.FIRING_BYTES)
    left = forget.ended(most, before_ms).left
    _report(ctx, "firings", left, most, "TRIGGERS_FIRINGS_MEGABYTES", "those of the last hour are kept")
    most = forgetting.allowed(of.launched_megabytes, forgetting.LAUNCHED_BYTES)
    left = forget.launched(most, before_ms).left
    _report(ctx, "launches", left, most, "TRIGGERS_LAUNCHED_MEGABYTES", "those of the last hour are kept")
    use = keep_marks(ctx, now_ms)
    why = "the others are recent, or the server shows no launch for them" if use.stuck else "more are to come"
    _report(ctx, "objects", use.count, use.most, "TRIGGERS_MARKS_MEGABYTES", why, always=use.stuck)


def _report(ctx: Context, what: str, count: int, most: int, setting: str, why: str, *, always: bool = False) -> None:
    """Raise the alarm of one budget, or clear it."""
    history = ctx.ledger.history
    if count > most and (always or count > most * ALARMING):
        text = f"remembers {count:,} {what}, with a budget for {most:,}: {why}; raise {setting} if Redis has the memory"
        if history.raise_alarm(f"{alarms.MEMORY.name}{what}", text, ctx.ledger.now_ms()):
            log.warning("%s", text)
    elif count <= most:
        history.clear_alarm(f"{alarms.MEMORY.name}{what}")
