"""Limits of what was launched: abort what runs longer than its trigger allows. `reconcile` calls it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

from triggers.base.logs import logger
from triggers.clearml_api import launches, server_now_ms, stops
from triggers.context import Context
from triggers.ledger.firings.firing import DIGEST_LENGTH, trigger_digest
from triggers.ledger.looks.upkeep import Upkeep
from triggers.model.launch_tags import FIRING, scheduler_tag, value_of
from triggers.rules.recovery import QUEUED, RUNNING
from triggers.stages import own

log = logger(__name__)

_MS_PER_HOUR: Final = 3_600_000
#: How far the server's time, as its answers have it, may be behind that of its stamps, ms.
_COARSE_MS: Final = 2_000


def abort_overdue(ctx: Context, look: Upkeep) -> int:
    """Abort the launches whose limit has passed; how many. Without any, the ClearML server is not asked."""
    limited = ctx.ledger.registry.snapshot(look.registry_version).limited
    limits = {id_: hours * _MS_PER_HOUR for id_, hours in limited.items()}
    if not limits:
        return 0
    _learn(ctx, limits)
    ctx.ledger.limits.note(limits)
    overdue = ctx.ledger.limits.overdue(limits, ctx.ledger.now_ms())
    if not overdue:
        return 0
    owners = ctx.ledger.firings.launchers(overdue)
    runs = launches.read_runs(ctx.api, overdue)
    running = {task: run for task in overdue if (run := runs.get(task)) and run.status in RUNNING}
    aborted = _older_by_server(ctx, running, {task: limits.get(owners.get(task, ""), 0.0) for task in running})
    for task in aborted:  # until it has ended: a worker may be slow to obey, or the call may be lost
        log.warning("ClearML task %s runs longer than limit_execution_time of its trigger: aborted", task)
        stops.stop(ctx.api, task, "limit_execution_time")
    ctx.ledger.limits.done([task for task in overdue if task not in running])
    return len(aborted)


def _older_by_server(ctx: Context, running: Mapping[str, launches.Run], limits: Mapping[str, float]) -> list[str]:
    """Those that run for longer than their limit by the ClearML server's clock, too; the others count from there.

    Redis' clock may have been set forward since the launch, or somebody may have enqueued the task again.
    """
    if not running:
        return []
    now_ms, server_ms = ctx.ledger.now_ms(), server_now_ms(ctx.api, ctx.service_task or None)
    ages = {task: max(0, server_ms - _began_ms(run)) for task, run in running.items()}
    younger = [task for task in running if ages[task] + _COARSE_MS < limits[task]]
    ctx.ledger.limits.count_from({task: now_ms - ages[task] for task in younger})
    return [task for task in running if task not in younger]


def _began_ms(run: launches.Run) -> int:
    """Before which server's time a run was not launched; 0 where nothing says it."""
    if run.status == QUEUED:
        return run.status_changed_ms
    return run.created_ms if run.is_clone else 0


def _learn(ctx: Context, limited: Collection[str]) -> None:
    """Once in an epoch, learn from the ClearML server which limited launches run: Redis may have forgotten some.

    One that was forgotten counts from when it was enqueued, or from its start if that has come.
    """
    ledger, epoch = ctx.ledger, ctx.epoch
    if ledger.limits.known_in(epoch.run_id):
        return
    running: dict[str, tuple[str, int]] = {}
    if not (epoch.complete and epoch.number == 1):  # else nothing was launched before
        triggers = {trigger_digest(ledger.scheduler, id_): id_ for id_ in limited}
        tagged = launches.find_running(ctx.api, scheduler_tag(ledger.scheduler))
        found = {
            one.id: triggers[key[:DIGEST_LENGTH]]
            for one in own.launches_among(ledger, ctx.api, tagged)
            if (key := value_of(FIRING, one.system_tags))[:DIGEST_LENGTH] in triggers
        }
        times = launches.read_status_times(ctx.api, found) if found else {}
        now_ms, server_ms = ledger.now_ms(), server_now_ms(ctx.api, ctx.service_task or None) if times else 0
        running = {task: (found[task], now_ms - max(0, server_ms - ms)) for task, ms in times.items()}
    ledger.limits.learn(epoch.run_id, running)
