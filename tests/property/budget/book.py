"""The account of API calls as Redis keeps it, in memory, by a clock of the test. `test_call_book` compares the two."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from triggers.ledger.api_budget.api_account import Settled
from triggers.ledger.api_budget.api_lending import Hand, Loan
from triggers.rules.api_budget import POLL, ApiUsage, month_of, to_lend

#: Cause, endpoint, result.
Counts = Mapping[tuple[str, str, str], int]


@dataclass
class Kept:
    """What Redis has, and loses where it comes back empty or older."""

    months: dict[str, Counter[tuple[str, str]]] = field(default_factory=lambda: defaultdict(Counter))
    lent: dict[str, dict[str, int]] = field(default_factory=lambda: defaultdict(dict))
    counted: dict[str, dict[str, int]] = field(default_factory=lambda: defaultdict(dict))
    #: restored of late, which processes may count again
    restored: Counter[str] = field(default_factory=Counter)
    #: number → [began, calls, those of polls]
    hours: dict[int, list[int]] = field(default_factory=dict)

    def copy(self) -> Kept:
        return Kept(
            defaultdict(Counter, {month: Counter(counts) for month, counts in self.months.items()}),
            defaultdict(dict, {month: dict(hands) for month, hands in self.lent.items()}),
            defaultdict(dict, {month: dict(counted) for month, counted in self.counted.items()}),
            Counter(self.restored),
            {number: list(hour) for number, hour in self.hours.items()},
        )


class BookInMemory:
    """Does what `CallBook` does."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self.clock, self.kept = clock, Kept()

    def settle(self, counts: Counts, limit: int | None, server: str = "", hand: Hand | None = None) -> Settled:
        now = self.clock()
        if counts:
            hour = self.kept.hours.setdefault(int(now.timestamp()) // 3600, [int(now.timestamp()), 0, 0])
            for (cause, endpoint, _), number in counts.items():
                self.kept.months[hand.month if hand else month_of(now)][cause, endpoint] += number
                hour[1] += number
                hour[2] += number if cause == POLL else 0
        if hand is not None:
            self.kept.lent[hand.month][hand.process] = hand.calls
            known = self.kept.counted[hand.month].get(hand.process, 0) + sum(counts.values())
            counted = max(known, hand.counted + sum(counts.values()))
            self.kept.counted[hand.month][hand.process] = counted
            claimed = min(counted - known, self.kept.restored[hand.month])
            self.kept.restored[hand.month] -= claimed
            if more := counted - known - claimed:
                self.kept.months[hand.month]["restored", "unknown"] += more
            return Settled(now, self.made(), None, counted)
        return Settled(now, self.made(), None)

    def lend(self, process: str, wanted: int, limit: int, *, for_polls: bool) -> Loan:
        now = self.clock()
        hands = self.kept.lent[month_of(now)]
        calls = to_lend(limit, self.made(), sum(hands.values()), wanted, for_polls=for_polls)
        hands[process] = hands.get(process, 0) + calls
        return Loan(now, calls, self.made())

    def restore(self, month: str, saved: int, by_now: int) -> int:
        made = sum(self.kept.months[month].values()) + sum(self.kept.lent[month].values())
        if made >= saved:
            return 0
        self.kept.months[month]["restored", "unknown"] += max(saved, by_now) - made
        self.kept.restored[month] += max(saved, by_now) - made
        return max(saved, by_now) - made

    def made(self) -> int:
        return sum(self.kept.months[month_of(self.clock())].values())

    def usage(self) -> ApiUsage:
        now = self.clock()
        this = int(now.timestamp()) // 3600
        hours = [self.kept.hours[hour] for hour in range(this - 23, this + 1) if hour in self.kept.hours]
        began = min((hour[0] for hour in hours), default=0)
        return ApiUsage(
            now,
            dict(self.kept.months[month_of(now)]),
            recent=sum(hour[1] for hour in hours),
            recent_polls=sum(hour[2] for hour in hours),
            recent_seconds=max(0.0, now.timestamp() - began) if began else 0.0,
            lent=sum(self.kept.lent[month_of(now)].values()),
        )
