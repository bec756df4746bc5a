"""Celery task `triggers.poll`: one tick; polls each scheduler that is due. Says which found events."""

from __future__ import annotations

from triggers.base.plural import plural
from triggers.context import Context
from triggers.ledger.deployment.schedulers import Scheduler
from triggers.stages.poll import poll as stage
from workers.ticks import ticked


def _poll(ctx: Context, scheduler: Scheduler) -> str:
    polled = stage(ctx, pace_seconds=scheduler.poll_seconds, quiet_seconds=scheduler.quiet_seconds)
    return plural(polled.events, "event") if polled and polled.events else ""


poll = ticked("poll", _poll)
