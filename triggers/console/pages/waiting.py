"""What waits for a person: held, failing and dead firings, and slots."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from starlette.responses import Response

from triggers.base.errors import TriggersError
from triggers.console.request import Asked
from triggers.explain.values import Slot
from triggers.explain.waiting import in_slot
from triggers.ledger.firings.firing import Firing
from triggers.ledger.firings.retrying import Failing
from triggers.operate import selection
from triggers.operate.waiting import LAUNCHING, slot_statuses

#: Firings of one page.
SIZE: Final = 50

TABS: Final = ("held", "failing", "dead", "slots")


@dataclass(frozen=True, slots=True)
class Hold:
    """One hold, how many firings it has, since when the oldest waits, and what holds it now."""

    name: str
    count: int
    oldest_ms: int
    why: str


@dataclass(frozen=True, slots=True)
class SlotRow:
    """One slot; `status` of its ClearML task, "" where ClearML does not answer."""

    name: str
    firing: str
    task: str
    status: str


def page(asked: Asked) -> Response:
    """One of the tabs."""
    tab = asked.query.get("tab", "held")
    tab = tab if tab in TABS else "held"
    ledger = asked.scheduler.target.ledger
    hold, after = asked.query.get("hold", ""), asked.query.get("after", "")
    firings: list[Firing] = []
    next_ = ""
    if tab == "dead":
        firings, next_ = ledger.operations.dead_page(after, SIZE)
    elif tab == "held" and hold:
        firings, next_ = ledger.operations.held_page(hold, after, SIZE)
    failing, next_ = _failing(asked, after) if tab == "failing" else ([], next_)
    slots, silent = _slots(asked) if tab == "slots" else ([], "")
    return asked.page(
        "waiting.html",
        tab=tab,
        tabs=TABS,
        hold=hold,
        holds=_holds(asked) if tab == "held" and not hold else [],
        firings=firings,
        next=next_,
        failing=failing,
        labels=selection.part_labels(asked.scheduler.target, [*firings, *failing]),
        slots=slots,
        silent=silent,
        most=asked.scheduler.target.settings.max_attempts,
        dead_count=ledger.waiting.dead_count(),
    )


def _failing(asked: Asked, after: str) -> tuple[list[Failing], str]:
    """A page of the firings that fail, by trigger, from behind a cursor on, and the next cursor.

    By trigger, not by next attempt: an attempt must not move a firing over the border of two pages.
    """
    found = sorted(asked.scheduler.target.ledger.retrying.failing(), key=_place)
    rest = [one for one in found if _place(one) > after]
    return rest[:SIZE], _place(rest[SIZE - 1]) if len(rest) > SIZE else ""


def _place(one: Failing) -> str:
    return f"{one.trigger}\n{one.key}"


def _holds(asked: Asked) -> list[Hold]:
    ledger = asked.scheduler.target.ledger
    found = []
    for name in ledger.firings.holds():
        first = ledger.operations.held(name, 0, 1)
        count, oldest = ledger.operations.held_count(name), first[0] if first else None
        found.append(Hold(name, count, oldest.granted_ms if oldest else 0, _why(asked, name, oldest)))
    return found


def _why(asked: Asked, hold: str, oldest: Firing | None) -> str:
    """What holds it now: who has a slot changes while firings wait for it."""
    reason, _, name = hold.partition(":")
    if reason != "slot":
        return oldest.reason if oldest else ""
    target = asked.scheduler.target
    firing, task = target.ledger.by_hand.slots().get(name, ("", ""))
    return in_slot(Slot(name, firing, task), target.settings.max_attempts, asked.now_ms)[0]


def _slots(asked: Asked) -> tuple[list[SlotRow], str]:
    """The slots, and why their states are not known."""
    target, silent = asked.scheduler.target, ""
    slots = sorted(target.ledger.by_hand.slots().items())
    try:
        statuses = slot_statuses(target, [task for _, (_, task) in slots if task])
    except TriggersError as failure:
        statuses, silent = {}, str(failure)
    rows = []
    for name, (firing, task) in slots:
        status = ("" if silent else statuses.get(task, "gone")) if task else LAUNCHING
        rows.append(SlotRow(name, firing, task, status))
    return rows, silent
