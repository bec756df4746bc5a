"""Which marks of objects may be forgotten, and what they were: the server says it by the launches it shows. Pure.

A mark says how often its trigger has fired for an object, and whether the condition held when last looked at. Launched
ClearML tasks carry the keys of their firings, so that they say the first; what they say nothing of has to be kept, or
to be the same for all marks that were forgotten:

  1. the firing launched nothing (a function, a webhook, a skip, a drop)  → kept
  2. `on_transition`, and the condition still holds                       → kept: nobody else knows that
  3. more occurrences than are looked up at once                          → kept
  4. `while_true`, and the cooldown is not over                           → kept
  5. its last launch is on the server                                     → may be forgotten
  6. the object itself is gone: it never fires again                      → may be forgotten, whatever it says
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from triggers.rules.policies import MS_PER_MINUTE, FireMode, Mark

#: Occurrences of one object that are looked up at once: each is a tag in a query.
MOST_OCCURRENCES = 10


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What is known of all the marks of one trigger that were forgotten, together.

    Args:
        count: how many.
        most: the highest occurrence among those whose object is still there; 0 for none: nothing has to be looked up.
        active: the condition held for some of them.
    """

    count: int = 0
    most: int = 0
    active: bool = False

    @classmethod
    def from_text(cls, text: str) -> Forgotten:
        """Read the text kept in Redis, as `forget_marks.lua` writes it. Anything else has every mark looked up."""
        numbers = text.split(" ")
        if len(numbers) != 3 or not all(number.isdecimal() for number in numbers):
            return cls(0, MOST_OCCURRENCES, True)
        return cls(int(numbers[0]), min(int(numbers[1]), MOST_OCCURRENCES), numbers[2] == "1")


def can_be_looked_up(mode: FireMode, mark: Mark) -> bool:
    """Whether launches on the server can say all that a mark says (1 to 3)."""
    if not mark.fired_ms or not 0 < mark.occurrence <= MOST_OCCURRENCES:
        return False
    return mark.active != (mode == "on_transition")


def may_forget(cooldown_minutes: float, launched_ms: int | None, before_ms: int) -> bool:
    """Whether such a mark may be forgotten (4 and 5).

    Args:
        cooldown_minutes: of its trigger.
        launched_ms: when its last occurrence was launched, by the server's clock; None if no launch of it is there.
        before_ms: launches since then stay known, by the same clock or one that is near it.
    """
    return launched_ms is not None and launched_ms + cooldown_minutes * MS_PER_MINUTE < before_ms


def looked_up(mode: FireMode, forgotten: Forgotten, launches: Iterable[tuple[int, int]]) -> Mark:
    """The mark of an object, as its launches tell it; that of an object never seen where there are none.

    Where a trigger's mode was edited since, the condition counts as seen true: that misses a transition, and never
    fires for what it has fired for.

    Args:
        mode: how the trigger fires now.
        forgotten: of the trigger.
        launches: occurrence, and time of the launch by the server's clock, of each that is there.
    """
    occurrence, launched_ms = max(launches, default=(0, 0))
    if not occurrence:
        return Mark()
    return Mark(occurrence, mode != "on_transition" or forgotten.active, launched_ms, launched_ms)
