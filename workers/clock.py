"""Celery task `triggers.clock`: one tick; grants what is due of schedules."""

from __future__ import annotations

from triggers.base.plural import plural
from triggers.stages.clock import clock as stage
from workers.app import app
from workers.runtime import runtime


@app.task(name="triggers.clock")  # type: ignore[untyped-decorator]
def clock() -> str:
    """Look at every scheduler's schedules; a tick too many does nothing. Says which had times that were due."""
    found = []
    for id_, scheduler in runtime().served().items():
        if due := runtime().run(id_, stage, scheduler):
            found.append(f"{runtime().name_of(id_)}: {plural(due, 'time')} of schedules")
    return "; ".join(found)
