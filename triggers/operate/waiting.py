"""What people do to firings that wait, fail or were given up, and to slots. Each change is a line of the audit log."""

from __future__ import annotations

from collections.abc import Sequence

from triggers.base.errors import TriggersError, Usage
from triggers.base.plural import named
from triggers.ledger.firings.firing import Firing
from triggers.ledger.firings.retrying import Failing
from triggers.ledger.history.audit import who
from triggers.operate.commands import command
from triggers.operate.target import Target
from triggers.rules.recovery import RUNNING

#: What holds a slot whose firing has recorded no ClearML task yet.
LAUNCHING = "being launched"


def retry_dead(target: Target, firings: Sequence[Firing]) -> int:
    """Make dead letters due again with all their retries; how many were."""
    keys = [firing.key for firing in firings]
    with target.ledger.audit.change("dead retry", firings=keys) as came:
        came["retried"] = sum(map(target.ledger.operations.retry_dead, keys))
    return int(came["retried"])


def drop_dead(target: Target, firings: Sequence[Firing]) -> int:
    """Drop dead letters for good; how many were."""
    keys = [firing.key for firing in firings]
    with target.ledger.audit.change("dead drop", firings=keys) as came:
        came["dropped"] = target.ledger.operations.drop_dead(keys, who()) if keys else 0
    return int(came["dropped"])


def retry_failing(target: Target, firings: Sequence[Failing]) -> int:
    """Make the next attempt of failing firings due now; how many waited for it."""
    keys = [firing.key for firing in firings]
    with target.ledger.audit.change("failing retry", firings=keys) as came:
        came["retried"] = target.ledger.retrying.retry_now(keys)
    return int(came["retried"])


def refuse_paused(target: Target, hold: str) -> None:
    """Keep people from releasing what would only wait again.

    Raises:
        Usage: it is the hold of a pause that goes on; the message has the verb that ends it.
    """
    reason, _, trigger = hold.partition(":")
    entry = target.ledger.registry.snapshot().get(trigger)
    if reason == "pause" and entry and entry.paused:
        name = entry.trigger.name
        raise Usage(f"{entry.trigger.called} is paused, so they would wait again: {command('resume', name)}")


def release_held(target: Target, hold: str, firings: Sequence[Firing]) -> int:
    """Make held firings due now, past their trigger's pace; how many were.

    Raises:
        Usage: their trigger is paused.
    """
    refuse_paused(target, hold)
    keys = [firing.key for firing in firings]
    with target.ledger.audit.change("holds release", hold=hold, firings=keys) as came:
        came["released"] = target.ledger.by_hand.release_now(hold, keys, who())
    return int(came["released"])


def drop_held(target: Target, hold: str, firings: Sequence[Firing]) -> int:
    """Drop held firings for good; how many were."""
    keys = [firing.key for firing in firings]
    with target.ledger.audit.change("holds drop", hold=hold, firings=keys) as came:
        came["dropped"] = target.ledger.operations.drop_held(hold, keys, who()) if keys else 0
    return int(came["dropped"])


def slot_statuses(target: Target, tasks: Sequence[str]) -> dict[str, str]:
    """The status of each ClearML task that holds a slot; those that are gone are missing.

    Raises:
        Usage: there are no credentials for the scheduler's server.
        ServerUnavailable: no answer.
    """
    from triggers.clearml_api import launches

    return launches.read_statuses(target.api, list(tasks)) if tasks else {}


def release_slot(target: Target, slot: str, *, force: bool) -> bool:
    """Free a slot; False when another holds it by now, which keeps it.

    Raises:
        Usage: there is no such slot.
        TriggersError: what holds it runs, and `force` is not given.
    """
    slots = target.ledger.by_hand.slots()
    if slot not in slots:
        raise Usage(f"there is no slot {slot!r}; there are: {named(sorted(slots)) or 'none'}")
    firing, task = slots[slot]
    status = "" if force else slot_statuses(target, [task]).get(task, "gone") if task else LAUNCHING
    if status in {*RUNNING, LAUNCHING}:
        what = f"ClearML task {task} is {status}" if task else f"firing {firing[-10:]} is being launched"
        raise TriggersError(f"slot {slot!r}: {what}: stop it first, or add --force, after which two may run at once")
    with target.ledger.audit.change("slots release", slot=slot, task=task, force=force) as came:
        came["released"] = target.ledger.by_hand.release_slot(slot, (firing, task))
    return bool(came["released"])
