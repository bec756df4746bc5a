"""Celery task `triggers.poll`: one tick; polls each scheduler that is due."""

from __future__ import annotations

from functools import partial

from triggers.stages.poll import poll as stage
from workers.app import app
from workers.runtime import runtime


@app.task(name="triggers.poll")  # type: ignore[untyped-decorator]
def poll() -> None:
    """Poll every scheduler whose pace says so; a tick too many does nothing."""
    for id_, scheduler in runtime().schedulers().items():
        runtime().run(id_, partial(stage, pace_seconds=scheduler.poll_seconds))
