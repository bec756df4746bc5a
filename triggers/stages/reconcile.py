"""Reconcile: re-send lost hints, release holds, delete the drafts of void attempts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from triggers.actions.launching import drafts, lookups
from triggers.base.logs import logger
from triggers.clearml_api import launches
from triggers.context import Context
from triggers.ledger.history import alarms
from triggers.ledger.ledger import SECONDS_PER_DAY
from triggers.ledger.looks.upkeep import Upkeep
from triggers.ledger.registry.registry import Entry
from triggers.model.launch_tags import FIRING, firing_tag, value_of
from triggers.rules.recovery import Hit, judge_strays
from triggers.stages import quarantine
from triggers.stages.budgets import budgets_are_due, keep_to_budgets
from triggers.stages.eviction import raise_eviction_alarm
from triggers.stages.failures import pause_failing
from triggers.stages.ledger_clock import raise_clock_alarm
from triggers.stages.limits import abort_overdue

log = logger(__name__)

#: A hint that nobody has taken for so long, and that is in no queue, was lost, seconds.
LOST_SECONDS = 2.0

#: Firing keys looked up in one query.
KEYS_PER_QUERY = 100


#: Held firings released in one round where no pace limits them.
RELEASED_PER_ROUND = 1000


@dataclass(frozen=True, slots=True)
class Reconciled:
    """What one round did. `hints`: the stages that were hinted."""

    hints: tuple[str, ...] = ()
    released: int = 0
    strays: int = 0


def reconcile(ctx: Context) -> Reconciled | None:
    """One round; None when another is at it. Every part is safe to repeat and safe to lose.

    At rest it costs one trip to Redis: who finds nothing to do needs no lease for it.
    """
    ledger = ctx.ledger
    if _is_at_rest(ctx, ledger.upkeep()):
        return Reconciled()
    with ledger.lease("reconcile", ctx.settings.lease_seconds) as token:
        if token is None:
            return None
        look = ledger.upkeep()
        hints, released = _hint_waiting(ctx, look, ["match"]), 0
        try:
            if look.holds:
                released = _release_holds(ctx, look)
        finally:  # functions need no ClearML server
            hints += _hint_waiting(ctx, ledger.upkeep() if released else look, ["dispatch", "act"])
        _forget(ctx, look)
        if look.has_quarantined or look.alarms or look.long_waiting(quarantine.PATIENCE_SECONDS):
            quarantine.raise_alarms(ctx)
        abort_overdue(ctx, look)
        pause_failing(ctx, look)
        strays = _clear_strays(ctx) if look.has_strays else 0
        return Reconciled(tuple(hints), released, strays)


def _is_at_rest(ctx: Context, look: Upkeep) -> bool:
    """Whether a round would do nothing."""
    if not look.is_at_rest or _old_launches(ctx, look) is not None or budgets_are_due(ctx):
        return False
    registry = ctx.ledger.registry.snapshot(look.registry_version)
    return not registry.limited and not registry.watched


def _old_launches(ctx: Context, look: Upkeep) -> int | None:
    """Before which launches are forgotten, None where there are none to forget."""
    before_ms = look.now_ms - int(ctx.settings.launched_days * SECONDS_PER_DAY * 1000)
    return before_ms if look.launched_ms is not None and look.launched_ms <= before_ms else None


def _hint_waiting(ctx: Context, look: Upkeep, stages: Sequence[str]) -> list[str]:
    """Hint the stages for which something waits, unless a hint is under way; which were hinted.

    A hint that lies in its queue is under way however long it does: another behind it would say the same.
    """
    hinted = []
    for stage in stages:
        if not look.waits(stage):
            continue
        sent_ms = look.hinted_ms.get(stage)
        if sent_ms is not None and sent_ms <= look.now_ms:
            if look.now_ms - sent_ms < LOST_SECONDS * 1000 or ctx.ledger.scheduler in ctx.hints.waiting(stage):
                continue
            log.info("the hint for %s was lost, sending another", stage)
        if ctx.ledger.hinted.send(stage, again_after_ms=int(LOST_SECONDS * 1000)):
            ctx.hints.send(stage, ctx.ledger.scheduler)
            hinted.append(stage)
    return hinted


def _forget(ctx: Context, look: Upkeep) -> None:
    """End what is over: old launches, alarms whose hold is empty."""
    ledger = ctx.ledger
    before_ms = _old_launches(ctx, look)
    if before_ms is not None:
        ledger.forgetting.launched_before(before_ms)
    if budgets_are_due(ctx):
        raise_eviction_alarm(ctx, look.alarms)
        keep_to_budgets(ctx)
    if look.has_old_edits:
        ledger.edits.forget()
    if look.ahead_ms or look.alarms:
        raise_clock_alarm(ctx, look.alarms)
    paces = {name for name in look.alarms if name.startswith(alarms.PACE.name)}
    if paces:
        for name in paces - set(ledger.firings.holds()):
            ledger.history.clear_alarm(name)


def _release_holds(ctx: Context, look: Upkeep) -> int:
    """Let held firings go whose reason is over: the pause ended, the minute passed, the slot's task ended."""
    ledger, released = ctx.ledger, 0
    snapshot = ledger.registry.snapshot(look.registry_version)
    slots = {}
    for hold in look.holds:
        reason, _, name = hold.partition(":")
        if reason == "receiver":  # whoever has a turn there takes them
            continue
        if reason == "slot" and any(_waits_in(one, name) for one in snapshot.active):
            slots[name] = ledger.firings.slot_holder(name)[1]
            continue
        entry = snapshot.entries.get(name)
        if reason == "pause" and entry is not None and entry.paused:
            continue
        released += ledger.firings.release(hold, _room(ctx, name, entry))
    if slots:
        holders = lookups.holders(ctx, {slot: task for slot, task in slots.items() if task})
        for slot, task in slots.items():
            if not task or holders[slot] == "ended":
                released += ledger.firings.release(f"slot:{slot}", 1)
    return released


def _waits_in(entry: Entry, slot: str) -> bool:
    """Whether firings of the trigger wait for that slot; after an edit those that do have to be looked at anew."""
    return entry.trigger.slot == slot and entry.trigger.policy.overlap != "skip"


def _room(ctx: Context, trigger: str, entry: Entry | None) -> int:
    """How many held firings of a trigger may go now without being held again for its pace."""
    limit = entry.trigger.policy.max_per_minute if entry else None
    limit = ctx.settings.max_per_minute if limit is None else limit
    return ctx.ledger.firings.pace_room(trigger, limit) if limit else RELEASED_PER_ROUND


def _clear_strays(ctx: Context) -> int:
    """Delete drafts of void attempts of firings that have ended. Only what the ledger says is void."""
    ledger, cleared = ctx.ledger, 0
    keys = ledger.strays.due(KEYS_PER_QUERY)
    if not keys:
        return 0
    found = launches.find_launches(ctx.api, [firing_tag(key) for key in keys])
    for key in keys:
        firing = ledger.firings.get(key)
        if firing and firing.unread:  # of attempts that cannot be read nothing is known to be void
            continue
        of_key = [one for one in found if value_of(FIRING, one.system_tags) == key]
        hits = [Hit(one.id, one.status, one.cloned_by) for one in of_key]
        for stray in judge_strays(hits, firing.task, firing.attempts[:-1]) if firing else ():
            if drafts.delete(ctx, stray) == "gone":
                log.info("deleted the draft %s that a dead attempt of firing %s left", stray, key)
                cleared += 1
    ledger.strays.done(keys)
    return cleared
