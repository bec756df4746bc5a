"""What a firing depends on beside the condition: reading, registration, memory and policies. Pure."""

from __future__ import annotations

from datetime import datetime

from triggers.base.plural import often, plural
from triggers.explain.values import Check, Facts
from triggers.model.events import Event
from triggers.model.kinds import noun_of_id
from triggers.model.schedule_fields import SCHEDULE
from triggers.operate.wording import declared
from triggers.rules.conditions import matches
from triggers.rules.policies import Decision, decide_by
from triggers.rules.recovery import RUNNING


def moment(ms: int | None) -> str:
    """A time for people, in their zone."""
    return f"at {datetime.fromtimestamp(ms / 1000):%Y-%m-%d %H:%M:%S}" if ms else "at an unknown time"


def match_decision(facts: Facts, event: Event) -> Decision:
    """What matching decides on this event, by the very functions that matching uses."""
    trigger = facts.entry.trigger
    matched, latest_ms = matches(trigger, event), facts.known_ms
    return decide_by(trigger.policy, facts.mark, matched=matched, changed_ms=event.changed_ms, latest_ms=latest_ms)


def is_of_another_kind(facts: Facts) -> bool:
    """Whether the trigger is for objects of another kind."""
    event = facts.now or facts.seen
    return event is not None and not facts.firings and not event.concerns(facts.entry.trigger.kind)


def is_read(facts: Facts, event: Event) -> bool:
    """Whether polls have read this change of the object."""
    seen = facts.seen is not None and facts.seen.changed_ms >= event.changed_ms
    return seen or (facts.known_ms or 0) >= event.changed_ms


def checks(facts: Facts) -> tuple[Check, ...]:
    """All of them, in the order in which a change meets them."""
    event = facts.now or facts.seen
    found = [_declared(facts)]
    if is_of_another_kind(facts):
        return (*found, _pause(facts))
    if event is not None:
        found += [_reading(facts, event), _registration(facts, event), _memory(facts, event)]
    if facts.launched_by:
        own = facts.launched_by == facts.entry.trigger.id
        by = "this trigger" if own else f"{noun_of_id(facts.launched_by)} {facts.launched_by!r}"
        found.append(Check("own launch", not own, f"{by} launched it"))
    return (*found, _pause(facts), _pace(facts), *_slot(facts))


def _declared(facts: Facts) -> Check:
    words = "no longer declared" if facts.entry.retired else f"by {declared(facts.entry)}"
    return Check("declared", not facts.entry.retired, words)


def _reading(facts: Facts, event: Event) -> Check:
    cursor = facts.read.cursor
    if facts.entry.version > cursor.plan:
        return Check("reading", None, "no poll has been made with this trigger yet")
    upto = f"read up to {moment(cursor.read_to_ms)[3:]}"
    if facts.entry.trigger.kind == SCHEDULE:
        come = True if facts.firings or event.changed_ms <= cursor.read_to_ms else None
        return Check("reading", come, f"the clock was {upto}")
    if is_read(facts, event):
        return Check("reading", True, f"its change {moment(event.changed_ms)} was read; {upto}")
    if event.changed_ms < facts.read.sweep_ms:  # of later ones polls remember that they were read
        why = "changes that cannot concern any trigger are not stored"
        return Check("reading", None, f"no record of its change {moment(event.changed_ms)} ({why}); {upto}")
    why = ""
    if event.changed_ms < cursor.read_to_ms and not matches(facts.entry.trigger, event):
        why = " (on a busy server, polls read only changes that can concern a trigger)"
    return Check("reading", False, f"its change {moment(event.changed_ms)} was not read{why}; {upto}")


def _registration(facts: Facts, event: Event) -> Check:
    what = "times" if facts.entry.trigger.kind == SCHEDULE else "changes"
    since = f"{what} count from {moment(facts.entry.since_ms)[3:]} on"
    return Check("registration", facts.entry.counts(event.changed_ms), since)


def _memory(facts: Facts, event: Event) -> Check:
    """Whether the policy `fire` would grant a firing now, and what it remembers of the object."""
    mark, mode = facts.mark, facts.entry.trigger.policy.fire
    times = f"fired {often(mark.occurrence)} for it" if mark.occurrence else "never fired for it"
    if mark.occurrence and not mark.active and mode == "once":
        times += ", and that was skipped"
    decided = mark.occurrence > 0 and event.changed_ms <= mark.changed_ms
    if decided or not matches(facts.entry.trigger, event):
        return Check(f"fire={mode}", None, times)
    granted = match_decision(facts, event).occurrence is not None
    return Check(f"fire={mode}", granted, times + (", may fire" if granted else ", does not fire for it again"))


def _pause(facts: Facts) -> Check:
    return Check("pause", not facts.entry.paused, "paused: firings wait" if facts.entry.paused else "not paused")


def _pace(facts: Facts) -> Check:
    if facts.room is None:
        return Check("max_per_minute", True, "no limit")
    more = plural(max(0, facts.room), "more launch", "more launches")
    return Check("max_per_minute", facts.room > 0, f"{more} may begin in this minute")


def _slot(facts: Facts) -> tuple[Check, ...]:
    slot = facts.slot
    if slot is None:
        return ()
    if slot.task and slot.status in RUNNING:
        return (Check("single_instance", False, f"ClearML task {slot.task} is {slot.status}"),)
    if slot.firing and not slot.task:
        return (Check("single_instance", False, f"firing {slot.firing[-10:]} has the slot"),)
    return (Check("single_instance", True, "no launch of it is queued or running"),)
