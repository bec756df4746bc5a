"""The API budget: what a month of calls comes to, and what polls may take of it. Pure; months are those of UTC."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Literal

#: Cause under which the requests of polls are counted.
POLL: Final = "poll"

#: Calls counted for less than this say little of the month to come, seconds.
LEAST_SECONDS: Final = 600.0

#: What polls leave of the month's rest to everything else, beside what that takes at its present rate: a day with more
#: launches than the last one does not end polling.
RESERVED: Final = 0.1

#: The longest pause between two polls while some calls are left, seconds: a launch and a person's edit still show.
LONGEST_POLL_SECONDS: Final = 3600.0


@dataclass(frozen=True, slots=True)
class ApiUsage:
    """Calls to the ClearML API of everything that shares one Redis, as counted.

    Attributes:
        now: by Redis' clock, UTC.
        counts: of this month, by cause and endpoint.
        recent: of the last `recent_seconds`.
        recent_polls: of these, those of polls.
    """

    now: datetime
    counts: Mapping[tuple[str, str], int] = field(default_factory=dict)
    recent: int = 0
    recent_polls: int = 0
    recent_seconds: float = 0.0

    @property
    def made(self) -> int:
        """All of this month."""
        return sum(self.counts.values())

    def by(self, part: Literal["cause", "endpoint"]) -> dict[str, int]:
        """The calls of this month by one of these, the most first."""
        sums = Counter[str]()
        for (cause, endpoint), number in self.counts.items():
            sums[cause if part == "cause" else endpoint] += number
        return dict(sorted(sums.items(), key=lambda one: (-one[1], one[0])))

    @property
    def others_per_second(self) -> float:
        """The present rate of what is no poll."""
        return (self.recent - self.recent_polls) / max(self.recent_seconds, LEAST_SECONDS)


def month_of(now: datetime) -> str:
    """Name a month: `2026-11`."""
    return f"{now:%Y-%m}"


def end_of_month(now: datetime) -> datetime:
    """When the next month begins."""
    first = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return (first + timedelta(days=32)).replace(day=1)


def seconds_left(now: datetime) -> float:
    """The rest of the month."""
    return (end_of_month(now) - now).total_seconds()


def projected(usage: ApiUsage) -> int:
    """What the month comes to if the rest of it goes on as the last day did."""
    if not usage.recent:
        return usage.made
    rate = usage.recent / max(usage.recent_seconds, LEAST_SECONDS)
    return usage.made + round(rate * seconds_left(usage.now))


def is_used_up(limit: int | None, made: int) -> bool:
    """Whether no call is left."""
    return limit is not None and made >= limit


def poll_seconds(limit: int | None, usage: ApiUsage, *, calls_per_poll: float, pace_seconds: float) -> float:
    """The pause between two polls by which the month's total holds: `pace_seconds` or longer.

    What launches and everything else will take is reserved first.

    Args:
        limit: calls in a month; None for no limit.
        usage: so far.
        calls_per_poll: of all schedulers that share the limit, in one round of polls.
        pace_seconds: without a limit.
    """
    if limit is None:
        return pace_seconds
    left, seconds = limit - usage.made, seconds_left(usage.now)
    for_polls = left * (1 - RESERVED) - usage.others_per_second * seconds
    if for_polls <= 0:
        return max(pace_seconds, min(LONGEST_POLL_SECONDS, seconds))
    return max(pace_seconds, min(LONGEST_POLL_SECONDS, calls_per_poll * seconds / for_polls))
