"""The count of the month's API calls in the saved state, for a Redis that comes back empty or older. Pure.

It rides on the state that is saved anyway. Several schedulers save the count of the one Redis that they share: the
largest counts.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final, NamedTuple

from triggers.base.errors import Newer, Unreadable
from triggers.rules.api_budget import ApiUsage, made_by_then, month_of, per_day
from triggers.sync.saved_state import Saved

_MONTH: Final = re.compile(r"\d{4}-\d{2}")
#: More calls than any server takes in a month: what says more was not counted.
_MOST: Final = 10**12


class AtLeast(NamedTuple):
    """`saved` calls were made in a month, by the last count that is known; `by_now` by this moment, as far as known."""

    saved: int
    by_now: int


@dataclass(frozen=True, slots=True)
class CountedCalls:
    """Calls of a month as one Redis had counted them, those lent included, and how many a day there were."""

    month: str
    made: int
    per_day: int

    @classmethod
    def of(cls, usage: ApiUsage) -> CountedCalls:
        """What is saved."""
        return cls(month_of(usage.now), usage.made + usage.lent, per_day(usage))

    @classmethod
    def from_fields(cls, fields: Any) -> CountedCalls | None:
        """What was saved; None where nothing was, or nothing that can be read."""
        if not isinstance(fields, Mapping):
            return None
        month, numbers = fields.get("month"), (fields.get("made"), fields.get("per_day"))
        if not isinstance(month, str) or not _MONTH.fullmatch(month):
            return None
        if not all(type(number) is int and 0 <= number <= _MOST for number in numbers):
            return None
        return cls(month, fields["made"], fields["per_day"])

    def to_fields(self) -> dict[str, Any]:
        """Write it."""
        return asdict(self)


def counted(texts: Iterable[str | None], now_ms: int) -> dict[str, AtLeast]:
    """By month, what the states of service tasks say of calls made.

    Args:
        texts: the states; what cannot be read says nothing.
        now_ms: the ClearML server's time.
    """
    found: dict[str, AtLeast] = {}
    for text in filter(None, texts):
        try:
            saved = Saved.from_json(text)
        except (Newer, Unreadable):
            continue
        calls = CountedCalls.from_fields(saved.calls)
        if calls is None:
            continue
        before = found.get(calls.month, AtLeast(0, 0))
        by_now = made_by_then(calls.made, calls.per_day, (now_ms - saved.saved_ms) / 1000)
        found[calls.month] = AtLeast(max(before.saved, calls.made), max(before.by_now, by_now))
    return found
