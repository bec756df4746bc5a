"""How far reads of the ClearML server show what was launched before Redis forgot it.

What Redis has forgotten is found on the server alone, and a read that lags behind the launch does not find it. So a
mark of the new epoch is written on the service task: a read that shows the mark shows what was written before it, since
replicas of the server's database apply writes in their order. Where the mark cannot be written, the time in which every
write becomes visible (`overlap_seconds`) has to pass.
"""

from __future__ import annotations

import time
from enum import IntEnum
from typing import Final

from triggers.base.errors import Refused
from triggers.base.logs import logger
from triggers.clearml_api import service
from triggers.clearml_api.reply import CONNECT_SECONDS
from triggers.context import Context

log = logger(__name__)

#: The runtime property of the service task that has the mark: the epoch, and how much was over when it was written.
PROPERTY: Final = "triggers-reads"

#: Pause between two looks for the mark, seconds.
LOOK_SECONDS: Final = 1.0

#: A mark that does not show for so long is written again: a worker of another epoch may have written over it, seconds.
AGAIN_SECONDS: Final = 10.0


class ReadsShow(IntEnum):
    """What reads show for certain: nothing, what was recorded before the epoch began, or all that came of it as well.

    `calls`: those of attempts that Redis forgot, which may have arrived when the epoch had begun.
    """

    nothing = 0
    records = 1
    calls = 2


def shown(ctx: Context) -> ReadsShow:
    """How much reads that begin now show of what was launched before this epoch. Asks the server until it is all.

    Raises:
        ServerUnavailable: the server does not say.
    """
    if not ctx.epoch.has_forgotten:
        return ReadsShow.calls
    with ctx.reads.lock:  # threads that come meanwhile wait for the answer
        known = max(_known(ctx), _by_time(ctx))
        wanted = ReadsShow.records if late_call_possible(ctx) else ReadsShow.calls
        if known >= wanted or not ctx.service_task or time.monotonic() < ctx.reads.next_at:
            return known
        try:
            known = max(known, _ask(ctx, wanted))
        except Refused as refused:
            log.warning("cannot mark on the service task which writes reads show: %s", refused)
        if known < wanted:
            ctx.reads.next_at = time.monotonic() + LOOK_SECONDS
        return known


def late_call_possible(ctx: Context) -> bool:
    """Whether a call of an attempt that Redis forgot may still arrive at the server.

    Such an attempt began before this epoch. By the ledger's clock: this machine's may be any time off.
    """
    return since_epoch_ms(ctx) < _late_ms(ctx)


def since_epoch_ms(ctx: Context) -> int:
    """How long ago this epoch began."""
    return ctx.ledger.now_ms() - ctx.epoch.began_ms


def _late_ms(ctx: Context) -> float:
    return 1000 * (ctx.settings.request_timeout_seconds + CONNECT_SECONDS + ctx.settings.lease_seconds)


def _by_time(ctx: Context) -> ReadsShow:
    """What has become visible in any case."""
    since_ms, visible_ms = since_epoch_ms(ctx), 1000 * ctx.settings.overlap_seconds
    if since_ms < visible_ms:
        return ReadsShow.nothing
    return ReadsShow.records if since_ms < visible_ms + _late_ms(ctx) else ReadsShow.calls


def _known(ctx: Context) -> ReadsShow:
    """What this process has seen in this epoch."""
    return ReadsShow(ctx.reads.level) if ctx.reads.run_id == ctx.epoch.run_id else ReadsShow.nothing


def _ask(ctx: Context, wanted: ReadsShow) -> ReadsShow:
    """Look for the mark, which any worker of this epoch may have written; write it where this one has not lately."""
    found = _look(ctx)
    asked = ctx.reads
    mark = f"{ctx.epoch.run_id} {int(wanted)}"
    if found < wanted and (asked.mark != mark or time.monotonic() > asked.written_at + AGAIN_SECONDS):
        service.write_runtime(ctx.api, ctx.service_task, {PROPERTY: mark})
        asked.mark, asked.written_at = mark, time.monotonic()
        found = _look(ctx)
    if found > _known(ctx):
        asked.run_id, asked.level = ctx.epoch.run_id, int(found)
    return found


def _look(ctx: Context) -> ReadsShow:
    run_id, _, level = service.read_runtime(ctx.api, ctx.service_task, PROPERTY).partition(" ")
    return ReadsShow(int(level)) if run_id == ctx.epoch.run_id and level in ("1", "2") else ReadsShow.nothing
