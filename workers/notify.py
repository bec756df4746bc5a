"""Celery task `triggers.notify`: tells people what needs them, for each scheduler."""

from __future__ import annotations

from functools import partial

from triggers.stages.notify import notify as stage
from workers.app import app
from workers.runtime import runtime


@app.task(name="triggers.notify")  # type: ignore[untyped-decorator]
def notify() -> None:
    """One look for every scheduler; where there is nothing to tell it costs a few reads of Redis."""
    for id_, scheduler in runtime().served().items():
        runtime().run(id_, partial(stage, scheduler=scheduler), scheduler)
