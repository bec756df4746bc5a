"""Recall: after a new epoch, take from the service task what Redis' data, if older, does not know.

These are the pauses of a person, and the count of the month's API calls.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from triggers.base.errors import Newer, Refused
from triggers.base.logs import logger
from triggers.clearml_api.service import Service
from triggers.clearml_api.workspace import latest_ms
from triggers.context import Context
from triggers.ledger.registry.registry import Entry, Snapshot
from triggers.sync.counted_calls import counted
from triggers.sync.redis_lease import SKEW_MS
from triggers.sync.saved_state import PROPERTY, Saved, newest
from triggers.sync.trust import believed

log = logger(__name__)


def recall(ctx: Context) -> None:
    """Compare pauses and calls with the saved state, once in an epoch, before anything is launched or saved in it.

    A restored backup knows no pause that came later, and the next save would forget it. A Redis that came back empty
    (epoch 1, or no triggers) is given everything by the script that registers.

    Raises:
        ServerUnavailable, StoreUnavailable, EpochChanged: nothing is launched until it is known.
    """
    if ctx.epoch.recalled or ctx.epoch.number == 1 or not ctx.service_task:
        return
    try:
        known = believed(ctx.api, ctx.ledger.scheduler, ctx.service_task, ctx.settings.service_users)
        now_ms = latest_ms(ctx.api, ctx.service_task)
        for month, calls in counted((one.runtime.get(PROPERTY) for one in known), now_ms).items():
            ctx.ledger.calls.restore(month, *calls)
        saved = _saved(known, now_ms + SKEW_MS)
    except (Newer, Refused) as fault:
        log.error("cannot compare pauses with the service task: %s", fault)
        saved = None
    if saved is not None and saved.registry > ctx.ledger.registry.snapshot().version:
        _pause(ctx, saved)
    ctx.ledger.recalled(ctx.epoch.number)
    ctx.begin_epoch()


def _saved(known: Collection[Service], until_ms: int) -> Saved | None:
    return newest((one.runtime.get(PROPERTY) for one in known), latest_ms=until_ms)[1]


def _pause(ctx: Context, saved: Saved) -> None:
    names: list[str] = []

    def edit(known: Snapshot, _: int) -> dict[str, Entry | None]:
        running = [e for e in known.active if e.trigger.id in saved.paused and not e.paused]
        names[:] = [entry.trigger.name for entry in running]
        return {entry.trigger.id: replace(entry, paused=True) for entry in running}

    ctx.ledger.registry.edit(edit)
    log.warning(
        "Redis holds an older state than the service task (registry %d there): %s", saved.registry,
        f"paused again {', '.join(sorted(names))}" if names else "no pause was missing",
    )  # fmt: skip
