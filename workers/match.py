"""Celery task `triggers.match`: matches what waits."""

from __future__ import annotations

from triggers.stages.match import match as stage
from workers.app import app
from workers.runtime import runtime


@app.task(name="triggers.match")  # type: ignore[untyped-decorator]
def match(scheduler: str) -> str:
    """A hint that a scheduler has batches of events; none may be there. Says what it granted."""
    granted = runtime().run(scheduler, stage)
    return f"firings granted: {granted}" if granted else ""
