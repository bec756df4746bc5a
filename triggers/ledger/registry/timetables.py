"""The timetable of a registered schedule: what its entry says, as `rules.schedules` takes it."""

from __future__ import annotations

from triggers.ledger.registry.entries import Entry
from triggers.rules.schedules.occurrences import Timetable


def timetable_of(entry: Entry) -> Timetable:
    """Make the timetable of an entry ready; once for each version of the entry, since a calendar costs.

    Raises:
        TypeError: it is not a schedule.
    """
    return Timetable.of(entry.trigger, entry.since_ms, entry.edited_ms, entry.jitters)
