"""What a month of calls to the ClearML API comes to, for people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from triggers.base.plural import plural
from triggers.ledger import Ledger
from triggers.operate.times import span
from triggers.rules import api_budget


@dataclass(frozen=True, slots=True)
class ApiBudget:
    """Calls of everything that shares one Redis, in one month of UTC.

    Attributes:
        month: `2026-11`.
        made: so far.
        projected: at its end, if the rest of it goes on as the last day did.
        limit: TRIGGERS_API_CALLS_PER_MONTH of this process, else of the workers; None without one.
        by_cause: the calls made, the most first: poll, launch, action, sync, script, verb, ...
        by_endpoint: the calls made, the most first.
        ends: when the next month begins.
        paused_seconds: what is left of a pause that the ClearML server asked for; 0 without one.
        paused_why: the reason that it gave.
        paused_long: whether people should know of it: it lasts, or the server has refused for more than a minute.
        lent: calls that processes have in hand; what a process that was killed had stays so until the month ends.
    """

    month: str
    made: int
    projected: int
    limit: int | None
    by_cause: Mapping[str, int]
    by_endpoint: Mapping[str, int]
    ends: datetime
    paused_seconds: float = 0.0
    paused_why: str = ""
    paused_long: bool = False
    lent: int = 0

    @property
    def is_over(self) -> bool:
        """Whether the month is projected to end beyond the limit."""
        return self.limit is not None and self.projected > self.limit

    @property
    def is_used_up(self) -> bool:
        """Whether no call is left."""
        return api_budget.is_used_up(self.limit, self.made + self.lent)

    @property
    def polls_are_over(self) -> bool:
        """Whether no call is left for polls."""
        return api_budget.polls_are_over(self.limit, self.made + self.lent)

    @property
    def is_short(self) -> bool:
        """Whether people should look: the limit will not do, or has not done, or the server refuses calls."""
        return self.is_over or self.polls_are_over or bool(self.paused_seconds)

    @property
    def kept_for_launches(self) -> int:
        """How many of the last calls polls leave to launches."""
        return 0 if self.limit is None else api_budget.kept_for_launches(self.limit)


def read_budget(ledger: Ledger, limit: int | None = None) -> ApiBudget:
    """Read it, in a handful of requests to Redis.

    Args:
        ledger: of any scheduler of that Redis.
        limit: of this process' settings.

    Raises:
        redis.RedisError: Redis gave no answer.
    """
    usage, pause = ledger.calls.usage(), ledger.calls.pause_now()
    return ApiBudget(
        month=api_budget.month_of(usage.now),
        made=usage.made,
        projected=api_budget.projected(usage),
        limit=limit if limit is not None else ledger.calls.limit_in_use(),
        by_cause=usage.by("cause"),
        by_endpoint=usage.by("endpoint"),
        ends=api_budget.end_of_month(usage.now),
        paused_seconds=pause.seconds if pause else 0.0,
        paused_why=pause.why if pause else "",
        paused_long=pause is not None and pause.is_long,
        lent=usage.lent,
    )


#: Causes and endpoints that a line names.
_NAMED: Final = 4


def line(budget: ApiBudget) -> str:
    """All of it in one line."""
    made = plural(budget.made, "call") if budget.limit is None else f"{budget.made:,} of {plural(budget.limit, 'call')}"
    words = f"{made} in {budget.month}, {rest(budget)}"
    parts = f" ({_most(budget.by_cause)}; {_most(budget.by_endpoint)})" if budget.made else ""
    return words + parts + (f"; {waits(budget)}" if budget.paused_seconds else "")


def rest(budget: ApiBudget) -> str:
    """What the rest of the month brings: calls as they are projected, or an end of polls, or of all calls."""
    if budget.is_used_up:
        return "none left"
    if budget.polls_are_over:
        last = plural(budget.kept_for_launches, "call is for launches", "calls are for launches")
        return f"polls wait, and the last {last}"
    return f"{budget.projected:,} projected"


def waits(budget: ApiBudget) -> str:
    """That the server refuses calls now, and for how long none is made."""
    left = span(1000 * budget.paused_seconds)
    return f"the ClearML server refuses calls; the next call is made in {left} ({budget.paused_why})"


def _most(counts: Mapping[str, int]) -> str:
    """The first of these, which are the largest, and the rest as one number."""
    named = [f"{name} {count:,}" for name, count in list(counts.items())[:_NAMED]]
    rest = sum(list(counts.values())[_NAMED:])
    return ", ".join(named + ([f"others {rest:,}"] if rest else []))
