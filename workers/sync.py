"""Celery task `triggers.sync`: keeps each scheduler's service task and its ledger the same."""

from __future__ import annotations

from functools import partial

from triggers.stages.sync import sync as stage
from workers.app import app
from workers.runtime import runtime


@app.task(name="triggers.sync")  # type: ignore[untyped-decorator]
def sync() -> None:
    """One turn for every scheduler; what is not due yet costs nothing."""
    for id_, scheduler in runtime().served().items():
        runtime().run(id_, partial(stage, scheduler=scheduler), scheduler)
