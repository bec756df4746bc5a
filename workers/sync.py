"""Celery task `triggers.sync`: keeps each scheduler's service task and its ledger the same."""

from __future__ import annotations

from typing import Final

from triggers.context import Context
from triggers.ledger.deployment.schedulers import Scheduler
from triggers.stages.sync import sync as stage
from workers.shown import in_words
from workers.ticks import ticked

#: A turn that reads the sections of a large registry needs some memory while it lasts.
AT_ONCE: Final = 4


def _sync(ctx: Context, scheduler: Scheduler) -> str:
    synced = stage(ctx, scheduler)
    if synced is None:
        return ""
    return in_words(
        {
            "edits read": synced.edits,
            "sections written": synced.sections,
            "console lines and plots written": synced.reports,
        }
    )


sync = ticked("sync", _sync, AT_ONCE)
