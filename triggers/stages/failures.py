"""Failures in a row: pause a trigger that asks for it. `reconcile` calls it."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from triggers.base.logs import logger
from triggers.base.plural import plural
from triggers.clearml_api import launches
from triggers.context import Context
from triggers.ledger.history.alarms import FAILURES
from triggers.ledger.looks.upkeep import Upkeep
from triggers.rules.recovery import DRAFT, RUNNING

log = logger(__name__)

_FAILED: Final = "failed"
ALARM: Final = FAILURES.name
#: Who pauses a trigger so, in the audit log.
BY: Final = "pause_on_failures"


def pause_failing(ctx: Context, look: Upkeep) -> int:
    """Pause the triggers that failed so often in a row; how many. While no launch is open, nobody is asked."""
    ledger = ctx.ledger
    _clear_alarms(ctx, look)
    watched = ledger.registry.snapshot(look.registry_version).watched
    if not watched:
        return 0
    ledger.failures.note(watched)
    _count(ctx)
    paused = 0
    for id_, most in watched.items():
        ledger.failures.dead(id_, ledger.history.last_of("dead", id_)[0])
        count = ledger.failures.in_a_row(id_)
        if count >= most:
            _pause(ctx, id_, count)
            paused += 1
    return paused


def _clear_alarms(ctx: Context, look: Upkeep) -> None:
    """Clear the alarms of triggers that were resumed or are gone."""
    known = ctx.ledger.registry.snapshot(look.registry_version)
    for name in look.alarms:
        if name.startswith(ALARM):
            entry = known.get(name.removeprefix(ALARM))
            if entry is None or not entry.paused:
                ctx.ledger.history.clear_alarm(name)


def _count(ctx: Context) -> None:
    open_ = ctx.ledger.failures.open()
    statuses = launches.read_statuses(ctx.api, [task for task, _ in open_]) if open_ else {}
    for task, trigger in open_:
        status = statuses.get(task)
        if status not in RUNNING and status != DRAFT:
            ctx.ledger.failures.ended(task, trigger, failed=status == _FAILED)


def _pause(ctx: Context, id_: str, count: int) -> None:
    ledger = ctx.ledger
    name = id_.partition(":")[2]
    with ledger.audit.change("pause", BY, triggers=[name], reason=f"failed {plural(count, 'time')} in a row"):
        ledger.registry.edit(
            lambda known, _: {id_: replace(known.entries[id_], paused=True)} if id_ in known.entries else {}
        )
    ledger.failures.begin_anew(id_)
    text = f"{name!r} failed {plural(count, 'time')} in a row and is paused; resume it with `clearml-triggers resume`"
    log.error("%s", text)
    ledger.history.raise_alarm(f"{ALARM}{id_}", text, ledger.now_ms())
