"""Limits of what was launched: abort what runs longer than its trigger allows. `reconcile` calls it."""

from __future__ import annotations

from triggers.base.logs import logger
from triggers.clearml_api import launches, stops
from triggers.context import Context
from triggers.rules.recovery import RUNNING

log = logger(__name__)

_MS_PER_HOUR = 3_600_000


def abort_overdue(ctx: Context) -> int:
    """Abort the launches whose limit has passed; how many. Without any, the ClearML server is not asked."""
    entries = ctx.ledger.registry.snapshot().entries
    limits = {
        id_: entry.trigger.policy.limit_execution_time * _MS_PER_HOUR
        for id_, entry in entries.items()
        if entry.trigger.policy.limit_execution_time
    }
    if not limits:
        return 0
    ctx.ledger.limits.note(limits)
    overdue = ctx.ledger.limits.overdue(limits, ctx.ledger.now_ms())
    if not overdue:
        return 0
    statuses = launches.read_statuses(ctx.api, overdue)
    running = [task for task in overdue if statuses.get(task) in RUNNING]
    for task in running:  # until it has ended: a worker may be slow to obey, or the call may be lost
        log.warning("ClearML task %s runs longer than limit_execution_time of its trigger: aborted", task)
        stops.stop(ctx.api, task, "limit_execution_time")
    ctx.ledger.limits.done([task for task in overdue if task not in running])
    return len(running)
