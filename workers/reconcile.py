"""Celery task `triggers.reconcile`: mends what a crash left, for each scheduler."""

from __future__ import annotations

from triggers.stages.reconcile import reconcile as stage
from workers.app import app
from workers.runtime import runtime


@app.task(name="triggers.reconcile")  # type: ignore[untyped-decorator]
def reconcile() -> None:
    """One round for every scheduler; a round too many does nothing."""
    for id_, scheduler in runtime().served().items():
        runtime().run(id_, stage, scheduler)
