"""When schedules run next, for people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

from triggers.base import escaping
from triggers.base.errors import Usage
from triggers.ledger.registry.registry import Entry
from triggers.ledger.registry.timetables import timetable_of
from triggers.model.events import Event
from triggers.model.kinds import phrase_of
from triggers.model.schedule_fields import SCHEDULE
from triggers.operate.target import Target
from triggers.rules.schedules.occurrences import event_of
from triggers.rules.schedules.zones import LAST_MS


@dataclass(frozen=True, slots=True)
class Coming:
    """A coming time of a schedule."""

    entry: Entry
    event: Event
    due_ms: int


def schedules(target: Target, name: str | None) -> list[Entry]:
    """Give the schedule of that name, or all of them, paused ones too.

    Raises:
        Usage: There is no trigger of that name, or it is not a schedule.
    """
    if name is None:
        return list(target.ledger.registry.snapshot().active.by_kind.get(SCHEDULE, []))
    entry = target.entry(name)
    if entry.trigger.kind != SCHEDULE:
        raise Usage(f"{name!r} is a {phrase_of(entry.trigger.kind)}: only schedules have times")
    return [entry]


def coming(entries: Sequence[Entry], now_ms: int, until_ms: int, at_most: int) -> list[Coming]:
    """List the next times of schedules that are not paused, by when they are due."""
    found = []
    for entry in entries:
        if entry.trigger.kind != SCHEDULE or entry.paused:
            continue
        table = timetable_of(entry)
        for one in islice(table.occurrences(now_ms, until_ms), at_most):
            found.append(Coming(entry, event_of(entry.trigger.name, one, table.trigger.timezone), one.due_ms))
    return sorted(found, key=lambda one: (one.due_ms, one.entry.trigger.name))[:at_most]


def why_none(entries: Sequence[Entry], now_ms: int, until: str) -> str:
    """Say that no time is to come; of a single schedule, whether there is one later."""
    if len(entries) == 1:
        only, name = entries[0], entries[0].trigger.name
        table = timetable_of(only)
        later = next(table.occurrences(now_ms, LAST_MS), None)
        if later is None:
            return f"{name} has no further times"
        if not entries[0].paused:
            at = event_of(name, later, table.trigger.timezone).at
            return f"{name} has no time until {until}; its next one is {at}"
    return f"no schedule is due until {until}" if entries else "no schedule is declared"


def paused(entries: Sequence[Entry]) -> str:
    """Say which schedules are left out, since what is due of them is held; "" if none is."""
    names = [entry.trigger.name for entry in entries if entry.paused]
    if len(names) == 1:
        return f"{names[0]} is paused; `{escaping.command('resume', names[0])}` lets it run again"
    return f"{len(names)} paused schedules are left out; `clearml-triggers list` shows them" if names else ""
