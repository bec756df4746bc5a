"""When schedules are due, for people: the coming times, and those of the past that they ask for again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from triggers.base.errors import Usage
from triggers.ledger.registry import Entry
from triggers.model.events import Event
from triggers.model.kinds import phrase_of
from triggers.model.schedule_fields import SCHEDULE
from triggers.operate.granting import Candidate, judge
from triggers.operate.target import Target
from triggers.rules.schedules.occurrences import Occurrence, Timetable, event_of

#: Coming times of one schedule that are listed, and past times of one that are run again by one command, at most.
MOST_LISTED, MOST_AGAIN = 1_000, 10_000


@dataclass(frozen=True, slots=True)
class Coming:
    """A coming time of a schedule."""

    entry: Entry
    event: Event
    due_ms: int


def coming(entries: Sequence[Entry], now_ms: int, until_ms: int, at_most: int) -> list[Coming]:
    """List the next times of schedules that are not paused, by time."""
    found = []
    for entry in entries:
        if entry.trigger.kind != SCHEDULE or entry.paused:
            continue
        table = Timetable.of(entry.trigger, entry.since_ms)
        for one in table.coming(now_ms, until_ms, at_most):
            found.append(Coming(entry, event_of(entry.trigger.name, one, table.trigger.timezone), one.due_ms))
    return sorted(found, key=lambda one: (one.due_ms, one.entry.trigger.name))[: max(at_most, MOST_LISTED)]


def past(target: Target, entry: Entry, from_ms: int, to_ms: int) -> list[Candidate]:
    """Give the times of a schedule from a moment to another, each with whether it ran.

    Raises:
        Usage: It is no schedule, the moments are in the wrong order or in the future, or there are too many times.
    """
    name = entry.trigger.name
    if entry.trigger.kind != SCHEDULE:
        raise Usage(f"{name!r} is a {phrase_of(entry.trigger.kind)}: use `replay` for changes of objects")
    if not from_ms < to_ms <= target.ledger.wall_ms():
        raise Usage("give --from and --to of the past, --from first")
    found: list[Occurrence] = []
    # before it was registered, it counts from there; a schedule of elapsed time has other times then
    for since_ms, after_ms, end_ms in (
        (from_ms - 1, from_ms - 1, min(to_ms, entry.since_ms)),
        (entry.since_ms, max(from_ms - 1, entry.since_ms), to_ms),
    ):
        if after_ms < end_ms:
            found += Timetable.of(entry.trigger, since_ms).coming(after_ms, end_ms, MOST_AGAIN + 1)
    if len(found) > MOST_AGAIN:
        raise Usage(f"these are more than {MOST_AGAIN:,} times: choose --from and --to closer to each other")
    zone = Timetable.of(entry.trigger, entry.since_ms).trigger.timezone
    return [judge(target, entry, event_of(name, one, zone)) for one in found]
