"""Celery task `triggers.poll`: one tick; polls each scheduler that is due."""

from __future__ import annotations

from functools import partial

from triggers.base.plural import plural
from triggers.stages.poll import poll as stage
from workers.app import app
from workers.runtime import runtime


@app.task(name="triggers.poll")  # type: ignore[untyped-decorator]
def poll() -> str:
    """Poll every scheduler whose pace says so; a tick too many does nothing. Says which found events."""
    found = []
    for id_, scheduler in runtime().served().items():
        paced = partial(stage, pace_seconds=scheduler.poll_seconds, quiet_seconds=scheduler.quiet_seconds)
        polled = runtime().run(id_, paced, scheduler)
        if polled and polled.events:
            found.append(f"{runtime().name_of(id_)}: {plural(polled.events, 'event')}")
    return "; ".join(found)
