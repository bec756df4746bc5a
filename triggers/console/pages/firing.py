"""One firing: every step that is remembered of it, and what can be done about it."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.responses import Response

from triggers.base.errors import Usage
from triggers.base.plural import plural
from triggers.console.request import Asked
from triggers.ledger.firings.firing import Firing
from triggers.ledger.history.history import HistoryEntry
from triggers.ledger.registry.registry import Entry
from triggers.model.events import Event
from triggers.model.parts import all_parts, is_trial, key_of, part_of
from triggers.model.parts import firing_of as firing_of_key
from triggers.operate import wording
from triggers.operate.history import Filter

#: Entries of its object's history in which the steps of a firing are looked for.
_LOOKED_AT = 500


@dataclass(frozen=True, slots=True)
class WaitingPlace:
    """Where a firing waits: in a hold, or in a lane until it is due."""

    hold: str = ""
    lane: str = ""
    due_ms: int = 0


def page(asked: Asked) -> Response:
    """State, steps, object, what it launched."""
    firing = firing_of(asked)
    asked.scheduler.activity.read_on()
    steps = steps_of(asked, firing)
    entry = asked.scheduler.target.ledger.registry.snapshot().entries.get(firing.trigger)
    return asked.page(
        "firing.html",
        firing=firing,
        state=wording.action_state(firing),
        entry=entry,
        name=firing.trigger.partition(":")[2],
        steps=steps,
        parts=_parts(asked, entry, firing),
        whole=firing_of_key(firing.key) if part_of(firing.key) else "",
        part=wording.part(entry.trigger if entry else None, firing.key, firing.action),
        place=_place(asked, firing),
        event=_event(firing),
        most=asked.scheduler.target.settings.max_attempts,
    )


@dataclass(frozen=True, slots=True)
class PartRow:
    """One action of a trigger, and what became of it in a firing; None where nothing is kept of it, or not yet."""

    number: str
    words: str
    firing: Firing | None

    @property
    def state(self) -> str:
        """Its state, as `explain` words it."""
        return wording.action_state(self.firing)


def _parts(asked: Asked, entry: Entry | None, firing: Firing) -> list[PartRow]:
    """The actions of the firing's trigger, each with its state; of a trigger with one action alone, none."""
    if entry is None or part_of(firing.key) or is_trial(firing.key):
        return []
    found = list(all_parts(entry.trigger))
    firings = asked.scheduler.target.ledger.firings
    rows = [
        PartRow(wording.number(part), action.words(), firings.get(key_of(firing.key, part)) if part else firing)
        for part, action in found
    ]
    return rows if len(rows) > 1 else []


def firing_of(asked: Asked) -> Firing:
    """The firing of the address, or of what was posted.

    Raises:
        Usage: it is not kept.
    """
    key = asked.parts.get("firing") or asked.given("firing")
    firing = asked.scheduler.target.ledger.firings.get(key)
    if firing is None:
        days = asked.scheduler.target.settings.retention_days
        raise Usage(
            f"firing {key!r} is not kept: those that have ended are for {plural(days, 'day')} (TRIGGERS_RETENTION_DAYS)"
        )
    return firing


def steps_of(asked: Asked, firing: Firing) -> list[HistoryEntry]:
    """What happened to it, oldest first."""
    around = asked.scheduler.activity.page(Filter(firing.trigger, firing.object), "", _LOOKED_AT)
    return [entry for entry in around.entries if entry.firing == firing.key][::-1]


def _place(asked: Asked, firing: Firing) -> WaitingPlace:
    ledger = asked.scheduler.target.ledger
    found = ledger.waiting.place(firing.key, ledger.firings.holds())
    return WaitingPlace(*found) if found else WaitingPlace()


def _event(firing: Firing) -> Event | None:
    try:
        return Event.from_json(firing.event)
    except ValueError:
        return None
