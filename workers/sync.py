"""Celery task `triggers.sync`: keeps each scheduler's service task and its ledger the same."""

from __future__ import annotations

from functools import partial

from triggers.stages.sync import sync as stage
from workers.app import app
from workers.room import leaving_room
from workers.runtime import runtime
from workers.shown import in_words


@app.task(name="triggers.sync")  # type: ignore[untyped-decorator]
@leaving_room
def sync() -> str:
    """One turn for every scheduler; what is not due yet costs nothing. Says what it read and wrote."""
    said = {}
    for id_, scheduler in runtime().served().items():
        if synced := runtime().run(id_, partial(stage, scheduler=scheduler), scheduler):
            said[runtime().name_of(id_)] = {
                "edits read": synced.edits,
                "sections written": synced.sections,
                "console lines and plots written": synced.reports,
            }
    return in_words(said)
