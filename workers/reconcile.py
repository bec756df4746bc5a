"""Celery task `triggers.reconcile`: repairs what a crash left, for each scheduler."""

from __future__ import annotations

from triggers.stages.reconcile import reconcile as stage
from workers.app import app
from workers.room import leaving_room
from workers.runtime import runtime
from workers.shown import in_words


@app.task(name="triggers.reconcile")  # type: ignore[untyped-decorator]
@leaving_room
def reconcile() -> str:
    """One round for every scheduler; a round too many does nothing. Says what it found to do."""
    said = {}
    for id_, scheduler in runtime().served().items():
        if mended := runtime().run(id_, stage, scheduler):
            said[runtime().name_of(id_)] = {
                "hints sent": len(mended.hints),
                "held firings released": mended.released,
                "drafts deleted": mended.strays,
            }
    return in_words(said)
