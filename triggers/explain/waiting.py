"""Why a firing has not been launched yet, as things are now, and what lets it go. Pure.

The reason that a firing was held or put back with is of that moment: what held it then may be over, or be another now.
"""

from __future__ import annotations

from typing import Final

from triggers.explain.values import Facts, Open, Slot
from triggers.ledger.firings.firing import Firing
from triggers.operate.commands import command
from triggers.operate.failing import progress
from triggers.rules.recovery import RUNNING

#: What is due for longer and not taken, ms, is taken by nobody: reconcile gives hints every two seconds.
LATE_MS: Final = 30_000

_DOCTOR: Final = "see `clearml-triggers doctor`"
_AT_ONCE: Final = f"reconcile releases it within seconds; if it does not, {_DOCTOR}"


def failing(facts: Facts, last: Firing) -> tuple[str, str]:
    """Of a firing whose attempts fail: how far it has come, and what to do."""
    of = facts.open or Open()
    come = progress(last.failures, of.due_ms, facts.max_attempts, facts.read.now_ms)
    reason = f": {last.reason}" if last.reason else ""
    text = f"its firing is failing ({come}){reason}"
    way_out = f"fix the cause; {command('failing retry', last.key[-10:])} tries again at once"
    stuck, hint = overdue(of, facts.read.now_ms)
    return (f"{text}; {stuck}", hint) if stuck else (text, way_out)


def overdue(of: Open, now_ms: int) -> tuple[str, str]:
    """What nobody takes although it is due, and what to do about that; empty texts when it is taken in time."""
    if not of.due_ms or now_ms - of.due_ms <= LATE_MS:
        return "", ""
    minutes = (now_ms - of.due_ms) / 60_000
    since = f"for {minutes:.0f} min" if minutes >= 2 else f"for {minutes * 60:.0f} s"
    match of.lane:
        case "caller":
            return (
                f"the script whose function it calls has not taken it {since}",
                f"start the script that declares the trigger; {_DOCTOR}",
            )
        case "act":
            return f"no act worker has taken it {since}", f"no act worker runs: {_DOCTOR}"
        case _:
            return f"no dispatch worker has taken it {since}", f"no dispatch worker runs: {_DOCTOR}"


def unmatched(since_ms: int, now_ms: int) -> tuple[str, str]:
    """The same of events that wait to be matched."""
    if not since_ms or now_ms - since_ms <= LATE_MS:
        return "", ""
    return (
        f"; no match worker has taken them for {(now_ms - since_ms) / 1000:.0f} s",
        f"no match worker runs: {_DOCTOR}",
    )


def held(facts: Facts) -> tuple[str, str]:
    """What holds a firing now, and the command that lets it go."""
    hold = facts.open.hold if facts.open else ""
    reason, name = hold.partition(":")[0], facts.entry.trigger.name
    if reason == "pause":
        if facts.entry.paused:
            return "the trigger is paused", f"{command('resume', name)} releases it"
        return "the pause of the trigger is over", _AT_ONCE
    if reason == "pace":
        limit = facts.per_minute
        return (
            f"the trigger launches at most {limit} a minute; it launches in a later minute",
            f"{command('holds release', hold)} releases it at once",
        )
    if reason == "slot":
        return in_slot(facts.slot or Slot(hold.partition(":")[2]), facts.max_attempts, facts.read.now_ms)
    return facts.firings[-1].reason if facts.firings else "", f"{command('holds list')} shows what holds it"


def in_slot(slot: Slot, most: int, now_ms: int) -> tuple[str, str]:
    """What keeps a firing out of its slot, and how the slot becomes free."""
    release = command("slots release --force", slot.name)
    if slot.task and (slot.status in RUNNING or not slot.status):
        status = slot.status or "in it"
        return (
            f"one launch at a time: ClearML task {slot.task} is {status}",
            f"it launches when that task ends: stop it in ClearML, or run {release}, after which two may run at once",
        )
    if slot.task:
        return f"one launch at a time: ClearML task {slot.task} has ended ({slot.status})", _AT_ONCE
    if slot.firing and slot.failures:
        come = progress(slot.failures, slot.next_ms, most, now_ms)
        retry = command("failing retry", slot.firing[-10:])
        return f"one launch at a time: firing {slot.firing[-10:]} has the slot and is failing ({come})", f"run {retry}"
    if slot.firing:
        taken = f"one launch at a time: firing {slot.firing[-10:]} has the slot and is not launched yet"
        return taken, f"it launches when that one has ended; {command('slots list')} shows the slots"
    return "its slot is free", _AT_ONCE
