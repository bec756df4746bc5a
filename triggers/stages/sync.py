"""Sync: keep what ClearML shows of a scheduler, and what the ledger holds of it, the same."""

from __future__ import annotations

from dataclasses import dataclass

from triggers.base.errors import Refused
from triggers.base.logs import logger
from triggers.context import Context
from triggers.ledger.deployment.schedulers import Scheduler
from triggers.ledger.history import alarms
from triggers.sync.configure import configure
from triggers.sync.memory import Memory
from triggers.sync.publish import tell
from triggers.sync.renewal import keep

log = logger(__name__)

#: The alarm raised when the service task cannot be read or written.
SERVICE_ALARM = alarms.SERVICE_TASK.name


@dataclass(frozen=True, slots=True)
class Synced:
    """What one turn did: triggers changed by a person in ClearML, sections written, reports sent."""

    edits: int = 0
    sections: int = 0
    reports: int = 0


def sync(ctx: Context, scheduler: Scheduler, *, force: bool = False) -> Synced | None:
    """Do what is due; None when another is at it. Any number may call it at once, at any time.

    A turn that finds nothing to do costs no request; otherwise their number depends on none of the triggers,
    firings and open launches.

    Args:
        ctx: the scheduler.
        scheduler: its record, which names the service task and the paces.
        force: read the sections and save the state now.

    Raises:
        ServerUnavailable, StoreUnavailable, Fenced: the next turn does the rest.
    """
    if not scheduler.service_task:
        return None
    with ctx.ledger.syncing.turn(ctx.settings.lease_seconds) as token:
        if token is None:
            return None
        memory = Memory(ctx.ledger, token)
        fresh = memory.begin(scheduler.service_task)
        try:
            if not keep(ctx, scheduler, memory, force=force):
                return Synced()
            edits, sections = configure(ctx, scheduler, memory, force=force or fresh, fresh=fresh)
            if edits or sections:
                memory.look_again()
            reports = tell(ctx, scheduler, memory)
        except Refused as refusal:
            _say_so(ctx, scheduler, memory, refusal)
            return Synced()
        memory.save()
        if SERVICE_ALARM in memory.look.alarms and not memory.text("refused"):
            ctx.ledger.history.clear_alarm(SERVICE_ALARM)
        return Synced(edits, sections, reports)


def _say_so(ctx: Context, scheduler: Scheduler, memory: Memory, refusal: Refused) -> None:
    """The service task was deleted or cannot be written: the triggers run on, ClearML shows nothing of them."""
    text = f"the service task {scheduler.service_task} cannot be used ({refusal}); start or register the script again"
    if SERVICE_ALARM not in ctx.ledger.history.alarms():
        log.error("%s", text)
    ctx.ledger.history.raise_alarm(SERVICE_ALARM, text, ctx.ledger.now_ms())
    memory.put("kept_ms", ctx.ledger.now_ms())
    memory.put("read_ms", ctx.ledger.now_ms())
    memory.put("refused", "1")
    memory.save()
