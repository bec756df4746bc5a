"""Celery task `triggers.match`: matches what waits in one partition."""

from __future__ import annotations

from functools import partial

from triggers.stages.match import match as stage
from workers.app import app
from workers.runtime import runtime


@app.task(name="triggers.match")  # type: ignore[untyped-decorator]
def match(scheduler: str, partition: int) -> str:
    """A hint that there are batches in a partition of a scheduler; none may be there. Says what it granted."""
    granted = runtime().run(scheduler, partial(stage, partition=partition))
    return f"firings granted: {granted}" if granted else ""
