"""The API budget: what a month of calls comes to, and what polls may take of it. Pure; months are those of UTC."""

from __future__ import annotations

import math
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

#: The longest pause between two polls for the sake of what may come, seconds: a launch and a person's edit still show.
SCARCE_POLL_SECONDS: Final = 3600.0

#: The longest pause of all while polls have a call left, seconds: where not even polls alone would do otherwise.
LONGEST_POLL_SECONDS: Final = 86_400.0

#: The last calls of a month, which no poll takes: a hundredth of the limit, and this many at most. What polls have
#: found is still launched.
KEPT_FOR_LAUNCHES: Final = 1000

#: For how long calls went on after their count was saved, at most, seconds.
UNKNOWN_SECONDS: Final = 7200.0


@dataclass(frozen=True, slots=True)
class ApiUsage:
    """Calls to the ClearML API of everything that shares one Redis, as counted.

    Attributes:
        now: by Redis' clock, UTC.
        counts: of this month, by cause and endpoint.
        recent: of the last `recent_seconds`.
        recent_polls: of these, those of polls.
        lent: calls that processes have taken in hand and not accounted for: under way, or of a process that was killed.
    """

    now: datetime
    counts: Mapping[tuple[str, str], int] = field(default_factory=dict)
    recent: int = 0
    recent_polls: int = 0
    recent_seconds: float = 0.0
    lent: int = 0

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
        """The present rate of what is not a poll."""
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
    """What the projection for this month is if the rest of it goes on as the last day did."""
    if not usage.recent:
        return usage.made
    rate = usage.recent / max(usage.recent_seconds, LEAST_SECONDS)
    return usage.made + round(rate * seconds_left(usage.now))


def per_day(usage: ApiUsage) -> int:
    """How many calls a day there are at the present rate."""
    return math.ceil(usage.recent / max(usage.recent_seconds, LEAST_SECONDS) * 86_400)


def made_by_then(made: int, calls_per_day: int, seconds: float) -> int:
    """What a count has become in the time since it was saved, of which nothing is known.

    While somebody serves, it is saved once an hour at least: what is older went on no longer than `UNKNOWN_SECONDS`.
    """
    return made + math.ceil(calls_per_day * min(max(0.0, seconds), UNKNOWN_SECONDS) / 86_400)


def is_used_up(limit: int | None, made: int) -> bool:
    """Whether no call is left."""
    return limit is not None and made >= limit


def kept_for_launches(limit: int) -> int:
    """How many of the last calls of a month no poll takes."""
    return min(limit // 100, KEPT_FOR_LAUNCHES)


def polls_are_over(limit: int | None, made: int) -> bool:
    """Whether no call is left for polls."""
    return limit is not None and made >= limit - kept_for_launches(limit)


def to_lend(limit: int, made: int, lent: int, wanted: int, *, for_polls: bool) -> int:
    """How many calls a process may take in hand, before it makes them.

    What is made and what is lent never come to more than the limit, whatever becomes of the process: so the calls that
    are made never do.

    Args:
        limit: calls in a month.
        made: so far.
        lent: to all processes, and not accounted for.
        wanted: by this one.
        for_polls: to make polls.
    """
    free = limit - made - lent - (kept_for_launches(limit) if for_polls else 0)
    return max(0, min(wanted, free))


def poll_seconds(limit: int | None, usage: ApiUsage, *, calls_per_poll: float, pace_seconds: float) -> float:
    """The pause between two polls by which the month's total holds: `pace_seconds` or longer.

    What launches and everything else will take is reserved first, as long as polls come once an hour. A pause does not
    reach into the next month, which has calls of its own.

    Args:
        limit: calls in a month; None for no limit.
        usage: so far.
        calls_per_poll: of all schedulers that share the limit, in one round of polls.
        pace_seconds: without a limit.
    """
    if limit is None:
        return pace_seconds
    left, seconds = limit - kept_for_launches(limit) - usage.made - usage.lent, seconds_left(usage.now)
    if left <= 0:
        return max(pace_seconds, min(LONGEST_POLL_SECONDS, seconds))
    alone = calls_per_poll * seconds / (left * (1 - RESERVED))
    for_polls = left * (1 - RESERVED) - usage.others_per_second * seconds
    wanted = calls_per_poll * seconds / for_polls if for_polls > 0 else seconds
    longest = min(LONGEST_POLL_SECONDS, max(SCARCE_POLL_SECONDS, alone))
    return max(pace_seconds, min(wanted, longest, seconds))
