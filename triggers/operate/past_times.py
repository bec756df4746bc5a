"""Past times of a schedule, each with whether it has run: what a person may run again, and why not the rest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from triggers.base.errors import Usage
from triggers.clearml_api import launches
from triggers.ledger.firings.firing import Firing, firing_key
from triggers.ledger.registry.registry import Entry
from triggers.model import Trigger
from triggers.model.events import Event
from triggers.model.kinds import phrase_of
from triggers.model.launch_tags import FIRING, firing_tag, value_of
from triggers.model.trigger import ScheduleTrigger
from triggers.operate.granting import Candidate
from triggers.operate.target import Target
from triggers.operate.times import iso
from triggers.rules.policies import Decision, Mark
from triggers.rules.recovery import DRAFT
from triggers.rules.schedules.occurrences import Occurrence, Timetable, event_of
from triggers.rules.schedules.zones import utc_text

#: Past times of a schedule that one command runs, at most.
MOST_AGAIN: Final = 10_000

#: Why a time is not run again, by the state of its firing.
_WHY_NOT: Final = {
    "waiting": "is being launched",
    "held": "is held",
    "dead": "is a dead letter; `clearml-triggers dead retry` tries it again",
    "dropped": "was dropped",
}
_RAN: Final = "has run"
_UNKNOWN: Final = "may have run: this is no longer known, since it launches no clone"
_UNREADABLE: Final = "may have run: its mark cannot be read"


def find(target: Target, entry: Entry, from_ms: int, to_ms: int) -> list[Candidate]:
    """Give the times of a schedule from a moment to another, each with whether it runs when it is granted.

    What has no mark is looked up among the launches on the ClearML server: marks of long ago are forgotten.

    Raises:
        Usage: It is not a schedule, the moments are in the wrong order or in the future, or there are too many times.
        Transient, Refused: The ClearML server does not answer.
    """
    trigger = entry.trigger
    if not isinstance(trigger, ScheduleTrigger):
        raise Usage(f"{trigger.name!r} is a {phrase_of(trigger.kind)}: use `replay` for changes of objects")
    now_ms = target.ledger.wall_ms()
    if to_ms > now_ms:
        raise Usage(
            f"--to {iso(to_ms)} is in the future: give a time up to now, {iso(now_ms)}; `next` lists coming times"
        )
    if from_ms > to_ms:
        raise Usage(f"--from {iso(from_ms)} is later than --to {iso(to_ms)}: give --from first")
    found = _times(entry, trigger, from_ms, to_ms)
    if len(found) > MOST_AGAIN:
        last = utc_text(found[MOST_AGAIN - 1].at_ms)
        raise Usage(
            f"{trigger.called} has more than {MOST_AGAIN:,} times from {iso(from_ms)} to {iso(to_ms)}: choose --from "
            f"and --to closer together; the first {MOST_AGAIN:,} end with --to {last}"
        )
    return _judged(target, entry, [event_of(trigger.name, one, trigger.timezone) for one in found])


def _times(entry: Entry, trigger: ScheduleTrigger, from_ms: int, to_ms: int) -> list[Occurrence]:
    """The times, and one more than may be run if there are more.

    Before it was registered, a schedule counts from the first moment that is asked for: one of elapsed time has other
    times then. One that runs once has no time before: it would not run any more at its own.
    """
    found: list[Occurrence] = []
    if trigger.recurring and from_ms <= entry.since_ms:
        before = Timetable.of(trigger, from_ms - 1)
        found += before.coming(from_ms - 1, min(to_ms, entry.since_ms), MOST_AGAIN + 1)
    if to_ms > entry.since_ms:
        after_ms = max(from_ms - 1, entry.since_ms)
        edited_ms = 0 if trigger.recurring else entry.edited_ms  # the only time is the first after the last edit
        found += Timetable.of(trigger, entry.since_ms, edited_ms).coming(after_ms, to_ms, MOST_AGAIN + 1)
    return found


def recall(target: Target, entry: Entry, id_: str) -> tuple[Mark, bool]:
    """Give the mark of a time, looked up where it may have been forgotten, and whether it stays unknown."""
    trigger, ledger = entry.trigger, target.ledger
    mark = ledger.matching.mark(trigger.id, id_)
    one = Occurrence.from_id(id_)
    if mark.stored or one is None or one.at_ms > ledger.wall_ms():
        return mark, False
    key = firing_key(ledger.scheduler, trigger.id, id_, 1)
    if trigger.action.clones and _launched(target, [key]):
        return Mark(1, True, one.at_ms, one.at_ms), False
    return mark, _is_unknown(entry, one.at_ms, ledger.moments.floor_ms())


def _judged(target: Target, entry: Entry, events: Sequence[Event]) -> list[Candidate]:
    trigger, ledger = entry.trigger, target.ledger
    keys = {event.id: firing_key(ledger.scheduler, trigger.id, event.id, 1) for event in events}
    marks = ledger.matching.marks([(trigger.id, event.id) for event in events])
    firings = ledger.undecided.firings(keys.values())
    unmarked = [e for e in events if (mark := marks.get((trigger.id, e.id))) and not mark.stored]
    launched = _launched(target, [keys[event.id] for event in unmarked]) if trigger.action.clones else set()
    floor_ms = ledger.moments.floor_ms()
    found = []
    for event in events:
        mark = marks.get((trigger.id, event.id))
        known = firings.get(keys[event.id])
        why_not = _UNREADABLE if mark is None else _why_not(mark, known, launched=keys[event.id] in launched)
        if not why_not and mark and not mark.stored and _is_unknown(entry, event.changed_ms, floor_ms):
            why_not = _UNKNOWN
        found.append(_candidate(entry, event, mark or Mark(), why_not))
    return found


def _why_not(mark: Mark, firing: Firing | None, *, launched: bool) -> str:
    """Why a time does not run again, "" if it does: it has not been granted, or was skipped."""
    if launched:
        return _RAN
    if firing is not None:
        return "" if firing.state == "skipped" else _WHY_NOT.get(firing.state, _RAN)
    return _RAN if mark.active or mark.fired_ms else ""


def _is_unknown(entry: Entry, at_ms: int, floor_ms: int) -> bool:
    """Whether a time may have run and left nothing: no mark that is kept for so long, and no clone."""
    return not entry.trigger.action.clones and entry.since_ms < at_ms <= floor_ms


def _launched(target: Target, keys: Sequence[str]) -> set[str]:
    """Those of the firings that have a launch on the ClearML server."""
    if not keys:
        return set()
    found = launches.find_launches(target.api, [firing_tag(key) for key in keys])
    return {value_of(FIRING, one.system_tags) for one in found if one.status != DRAFT}


def _candidate(entry: Entry, event: Event, mark: Mark, why_not: str) -> Candidate:
    after = Mark(max(1, mark.occurrence), True, event.changed_ms, event.changed_ms)
    decision = None if why_not else Decision(after, changed=True, occurrence=after.occurrence)
    return Candidate(entry, event, mark, decision, why_not)


def notes(trigger: Trigger, count: int, *, paused: bool) -> list[str]:
    """What a person should know before so many times of a schedule run."""
    found, policy = list[str](), trigger.policy
    if not count:
        return found
    if paused:
        found.append(f"{trigger.name} is paused: times that run are held until it is resumed")
    if count > 1 and policy.single_instance:
        what = {
            "skip": "times that come due while a launch runs are skipped",
            "queue": "the launches run one after the other",
            "latest": "of the times that come due while a launch runs, only the newest runs",
            "cancel_previous": "each launch aborts the one before",
        }
        found.append(f"{trigger.name} has single_instance=True and overlap={policy.overlap!r}: {what[policy.overlap]}")
    return found
