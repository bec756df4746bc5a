"""One firing: every step that is remembered of it, and what can be done about it."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.responses import Response

from triggers.base.errors import Usage
from triggers.console.request import Asked
from triggers.ledger.firing import Firing
from triggers.ledger.history import HistoryEntry
from triggers.model.events import Event
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
        entry=entry,
        name=firing.trigger.partition(":")[2],
        steps=steps,
        place=_place(asked, firing),
        event=_event(firing),
        most=asked.scheduler.target.settings.max_attempts,
    )


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
            f"firing {key!r} is not kept: those that have ended are for {days:g} days (TRIGGERS_RETENTION_DAYS)"
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
