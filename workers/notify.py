"""Celery task `triggers.notify`: tells people what needs them, for each scheduler."""

from __future__ import annotations

from functools import partial

from triggers.stages.notify import notify as stage
from workers.app import app
from workers.room import leaving_room
from workers.runtime import runtime
from workers.shown import in_words


@app.task(name="triggers.notify")  # type: ignore[untyped-decorator]
@leaving_room
def notify() -> str:
    """One look for every scheduler; where there is nothing to tell it costs a few reads of Redis. Says what it sent."""
    said = {}
    for id_, scheduler in runtime().served().items():
        if sent := runtime().run(id_, partial(stage, scheduler=scheduler), scheduler):
            said[runtime().name_of(id_)] = {"notices sent": sent}
    return in_words(said)
