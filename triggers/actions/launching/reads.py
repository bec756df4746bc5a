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

#: The runtime property of the service task that has the mark: the epoch, and how long after its beginning it is from.
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
    if not late_call_possible(ctx) and _show(ctx, _late_ms(ctx)):
        return ReadsShow.calls
    return ReadsShow.records if _show(ctx, 0) else ReadsShow.nothing


def show_all_until(ctx: Context, at_ms: int) -> bool:
    """Whether reads that begin now show all that was written until a past time, by the ledger's clock.

    Raises:
        ServerUnavailable: the server does not say.
    """
    return _show(ctx, at_ms - ctx.epoch.began_ms)


def _show(ctx: Context, until_ms: int) -> bool:
    """The same until so long after this epoch began.

    Raises:
        ServerUnavailable: the server does not say.
    """
    with ctx.reads.lock:  # threads that come meanwhile wait for the answer
        until_ms, visible_ms = max(0, until_ms), 1000 * ctx.settings.overlap_seconds
        if _known_ms(ctx) >= until_ms or since_epoch_ms(ctx) - until_ms >= visible_ms:
            return True
        if not ctx.service_task or time.monotonic() < ctx.reads.next_at:
            return False
        try:
            _ask(ctx, until_ms)
        except Refused as refused:
            log.warning("cannot mark on the service task which writes reads show: %s", refused)
        if _known_ms(ctx) >= until_ms:
            return True
        ctx.reads.next_at = time.monotonic() + LOOK_SECONDS
        return False


def late_call_possible(ctx: Context) -> bool:
    """Whether a call of an attempt that Redis forgot may still arrive at the server.

    Such an attempt began before this epoch. By the ledger's clock: this machine's may be any time off.
    """
    return since_epoch_ms(ctx) < _late_ms(ctx)


def since_epoch_ms(ctx: Context) -> int:
    """How long ago this epoch began."""
    return ctx.ledger.now_ms() - ctx.epoch.began_ms


def _late_ms(ctx: Context) -> int:
    return int(1000 * (ctx.settings.request_timeout_seconds + CONNECT_SECONDS + ctx.settings.lease_seconds))


def call_over_ms(ctx: Context, began_ms: int) -> int:
    """When a call that began at a time of the ledger's clock cannot arrive any more."""
    return began_ms + int(1000 * (ctx.settings.request_timeout_seconds + CONNECT_SECONDS))


def _known_ms(ctx: Context) -> int:
    """How long after the epoch began reads show all that was written; -1 while this process has seen no mark of it."""
    return ctx.reads.shown_ms if ctx.reads.run_id == ctx.epoch.run_id else -1


def _ask(ctx: Context, until_ms: int) -> None:
    """Look for a mark, which any worker of this epoch may have written; write one where this one has not lately."""
    asked = ctx.reads
    _look(ctx)
    if _known_ms(ctx) >= until_ms:
        return
    waits = asked.marked_run == ctx.epoch.run_id and asked.marked_ms >= until_ms
    if not waits or time.monotonic() > asked.marked_at + AGAIN_SECONDS:
        since_ms = max(0, since_epoch_ms(ctx))
        service.write_runtime(ctx.api, ctx.service_task, {PROPERTY: f"{ctx.epoch.run_id} {since_ms}"})
        asked.marked_run, asked.marked_ms, asked.marked_at = ctx.epoch.run_id, since_ms, time.monotonic()
        _look(ctx)


def _look(ctx: Context) -> None:
    """See which mark shows: what was written until its time shows as well."""
    run_id, _, ms = service.read_runtime(ctx.api, ctx.service_task, PROPERTY).partition(" ")
    if run_id == ctx.epoch.run_id and ms.isdecimal():
        ctx.reads.shown_ms = max(_known_ms(ctx), int(ms))
        ctx.reads.run_id = run_id
