"""Celery task `triggers.reconcile`: repairs what a crash left, for each scheduler."""

from __future__ import annotations

from triggers.context import Context
from triggers.ledger.deployment.schedulers import Scheduler
from triggers.stages.reconcile import reconcile as stage
from workers.shown import in_words
from workers.ticks import ticked


def _reconcile(ctx: Context, scheduler: Scheduler) -> str:  # noqa: ARG001 - its record says nothing that matters here
    mended = stage(ctx)
    if mended is None:
        return ""
    return in_words(
        {"hints sent": len(mended.hints), "held firings released": mended.released, "drafts deleted": mended.strays}
    )


reconcile = ticked("reconcile", _reconcile)
