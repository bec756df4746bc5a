"""Celery task `triggers.act`: carries out actions that are neither launches nor functions."""

from __future__ import annotations

from typing import Any, Final

from celery.signals import worker_shutdown

from triggers.actions import outcomes
from triggers.context import Context
from triggers.stages.act import act as stage
from triggers.stages.crew import Crew
from workers.app import app
from workers.dispatch import SHOWN
from workers.runtime import runtime

#: How long an orderly end waits for requests that are under way, seconds. A request takes ten at most.
PATIENCE_SECONDS: Final = 5.0

#: The threads that wait for receivers, of all schedulers: those of Celery go on meanwhile.
crew: Final = Crew()


@app.task(name="triggers.act")  # type: ignore[untyped-decorator]
def act(scheduler: str) -> str:
    """A hint that a scheduler has actions to carry out; none may be due.

    Says what became of the first of those that go to the ClearML server; those to other receivers are under way.
    """

    def run(ctx: Context) -> int:
        return stage(ctx, crew)

    with outcomes.collected() as lines:
        taken = runtime().run(scheduler, run) or 0
    under_way = [f"{taken - len(lines)} more taken"] if taken > len(lines) else []
    return "; ".join([*lines[:SHOWN], *under_way])


@worker_shutdown.connect  # type: ignore[untyped-decorator]
def _finish(**_: Any) -> None:
    crew.finish(PATIENCE_SECONDS)
