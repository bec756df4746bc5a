"""Celery task `triggers.dispatch`: launches firings that are due."""

from __future__ import annotations

from triggers.stages.dispatch import dispatch as stage
from workers.app import app
from workers.runtime import runtime


@app.task(name="triggers.dispatch")  # type: ignore[untyped-decorator]
def dispatch(scheduler: str) -> None:
    """A hint that a scheduler has firings to launch; none may be due."""
    runtime().run(scheduler, stage)
