"""What the crash tests of one run did, for the end of it: points, and how long it took to go on."""

from __future__ import annotations

import statistics
from dataclasses import dataclass, field


@dataclass
class Tally:
    """What was done at the points of one kind of test."""

    done: int = 0
    not_reached: list[str] = field(default_factory=list)
    recovery_seconds: list[float] = field(default_factory=list)

    def recovered(self, seconds: float) -> None:
        """One point more; the system went on after so long."""
        self.done += 1
        self.recovery_seconds.append(seconds)


_tallies: dict[str, Tally] = {}


def tally(what: str) -> Tally:
    """The tally of that name; made on first use."""
    return _tallies.setdefault(what, Tally())


def lines() -> list[str]:
    """One line for each kind of test."""
    found = []
    for what, one in sorted(_tallies.items()):
        line = f"{what}: {one.done} points"
        if one.recovery_seconds:
            times = sorted(one.recovery_seconds)
            p99 = times[min(len(times) - 1, int(len(times) * 0.99))]
            middle = statistics.median(times)
            line += f"; went on after {middle:.2f} s (p50), {p99:.2f} s (p99), {times[-1]:.2f} s (max)"
        if one.not_reached:
            line += f"; not reached again: {', '.join(one.not_reached)}"
        found.append(line)
    return found
