"""Celery task `triggers.dispatch`: launches firings that are due."""

from __future__ import annotations

from triggers.actions import outcomes
from triggers.stages.dispatch import dispatch as stage
from workers.app import app
from workers.runtime import runtime

#: Firings named in the result of one Celery task; Flower shows it.
SHOWN = 10


@app.task(name="triggers.dispatch")  # type: ignore[untyped-decorator]
def dispatch(scheduler: str) -> str:
    """A hint that a scheduler has firings to launch; none may be due. Says what became of the first of them."""
    with outcomes.collected() as lines:
        runtime().run(scheduler, stage)
    more = f"; and {len(lines) - SHOWN} more" if len(lines) > SHOWN else ""
    return "; ".join(lines[:SHOWN]) + more
