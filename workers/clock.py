"""Celery task `triggers.clock`: one tick; grants what is due of schedules. Says whose were due."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from triggers.base.plural import plural
from triggers.context import Context
from triggers.ledger.deployment.schedulers import Scheduler
from triggers.stages.clock import clock as stage
from triggers.stages.clock import may_be_due
from workers.runtime import runtime
from workers.ticks import ticked

#: Schedulers that wait for their next time at once, each in a thread: the time of one may come before that of another.
AT_ONCE: Final = 64


def _clock(ctx: Context, scheduler: Scheduler) -> str:  # noqa: ARG001 - its record says nothing that matters here
    due = stage(ctx)
    return f"{plural(due, 'time')} of schedules" if due else ""


def _with_schedules(served: Mapping[str, Scheduler]) -> Iterable[str]:
    """Those that may have schedules, found by one trip for all."""
    versions = runtime().registry_versions(served)
    return [id_ for id_ in served if may_be_due(runtime().known(id_), versions.get(id_))]


clock = ticked("clock", _clock, AT_ONCE, _with_schedules)
