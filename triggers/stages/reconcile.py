"""Reconcile: give the hints again for what has lain too long, release holds, clear away strays."""

from __future__ import annotations

from dataclasses import dataclass

from triggers.actions.launching import drafts, lookups
from triggers.base.logs import logger
from triggers.clearml_api import launches
from triggers.context import Context
from triggers.ledger import alarms
from triggers.ledger.ledger import SECONDS_PER_DAY
from triggers.ledger.registry import Entry
from triggers.model.launch_tags import FIRING, firing_tag, value_of
from triggers.rules.recovery import Hit, judge_strays
from triggers.stages.failures import pause_failing
from triggers.stages.ledger_clock import tell_of_clock
from triggers.stages.limits import abort_overdue
from triggers.stages.quarantine import raise_alarms

log = logger(__name__)

#: Dispatch hints given in one round at most; a dispatcher goes on until nothing is due anyway.
HINTS_PER_ROUND = 16

#: Firing keys looked up in one query.
KEYS_PER_QUERY = 100


#: Held firings released in one round where no pace limits them.
RELEASED_PER_ROUND = 1000


@dataclass(frozen=True, slots=True)
class Mended:
    """What one round did."""

    partitions: int = 0
    dispatches: int = 0
    released: int = 0
    strays: int = 0


def reconcile(ctx: Context) -> Mended | None:
    """One round; None when another is at it. Every part is safe to repeat and safe to lose."""
    ledger = ctx.ledger
    with ledger.lease("reconcile", ctx.settings.lease_seconds) as token:
        if token is None:
            return None
        partitions = list(dict.fromkeys([*ledger.reading.waiting_partitions(), *ledger.undecided.partitions()]))
        for partition in partitions:
            ctx.hints.send("match", ledger.scheduler, partition)
        try:
            released = _release_holds(ctx)
        finally:  # functions need no ClearML server
            dispatches = _hint_due(ctx)
        _forget(ctx)
        raise_alarms(ctx)
        abort_overdue(ctx)
        pause_failing(ctx)
        return Mended(len(partitions), dispatches, released, _clear_strays(ctx))


def _hint_due(ctx: Context) -> int:
    """One hint a batch of firings that are due; how many."""
    dispatches = min(HINTS_PER_ROUND, -(-ctx.ledger.due("dispatch") // ctx.settings.batch_firings))
    for _ in range(dispatches):
        ctx.hints.send("dispatch", ctx.ledger.scheduler)
    if ctx.ledger.due("act") or ctx.ledger.turns.waiting():  # one: it goes on until nothing is due
        ctx.hints.send("act", ctx.ledger.scheduler)
    return dispatches


def _forget(ctx: Context) -> None:
    """End what is over: old launches, alarms whose hold is empty."""
    ledger = ctx.ledger
    ledger.firings.forget_launched(ledger.now_ms() - int(ctx.settings.launched_days * SECONDS_PER_DAY * 1000))
    if any(entry.trigger.sees_own_edits for entry in ctx.plan().snapshot.active):
        ledger.edits.forget()
    known = ledger.history.alarms()
    tell_of_clock(ctx, known)
    if known:
        for name in known.keys() - set(ledger.firings.holds()):
            if name.startswith(alarms.PACE.name):
                ledger.history.clear_alarm(name)


def _release_holds(ctx: Context) -> int:
    """Let held firings go whose reason is over: the pause ended, the minute passed, the slot's task ended."""
    ledger, released = ctx.ledger, 0
    snapshot = ledger.registry.snapshot()
    slots = {}
    for hold in ledger.firings.holds():
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
    keys = ledger.firings.strays(KEYS_PER_QUERY)
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
    ledger.firings.strays_done(keys)
    return cleared
