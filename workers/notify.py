"""Celery task `triggers.notify`: tells people what needs them, for each scheduler. Says what it sent."""

from __future__ import annotations

from triggers.context import Context
from triggers.ledger.deployment.schedulers import Scheduler
from triggers.stages.notify import notify as stage
from workers.ticks import ticked


def _notify(ctx: Context, scheduler: Scheduler) -> str:
    sent = stage(ctx, scheduler)
    return f"notices sent: {sent}" if sent else ""


notify = ticked("notify", _notify)
