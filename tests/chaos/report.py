"""What a run did, hit and found, for people and as JSON."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

#: how many of the slowest recoveries, and of what ran last, are listed one by one
SLOWEST = 3


@dataclass(frozen=True)
class Recovery:
    """From one disturbance, `at` seconds after the beginning, to the next launch of what was under way then.

    `meanwhile`: what else was done until that launch, in order.
    """

    kind: str
    at: float
    seconds: float
    meanwhile: tuple[str, ...] = ()

    def line(self) -> str:
        """For people."""
        others = ", ".join(self.meanwhile) or "nothing else"
        return f"{self.kind} at {self.at:.1f} s: next launch after {self.seconds:.1f} s; meanwhile {others}"


@dataclass
class Report:
    """Of one seed."""

    seed: int
    seconds: float
    mode: str
    #: clocks were stepped as well
    stepped: bool = False
    extras: tuple[str, ...] = ()
    changes: int = 0
    objects: int = 0
    runs: int = 0
    calls: int = 0
    #: webhooks that arrived, and how many of them under an id that had arrived before
    deliveries: int = 0
    repeated: int = 0
    disturbances: Counter[str] = field(default_factory=Counter)
    calls_hit: Counter[str] = field(default_factory=Counter)
    recoveries: list[Recovery] = field(default_factory=list)
    #: from a disturbance to the last run of what was under way then
    completions: list[float] = field(default_factory=list)
    #: from a change to its run
    latencies: list[float] = field(default_factory=list)
    #: from the first process to the first change
    start_seconds: float = 0.0
    settled_seconds: float = 0.0
    #: seconds after the last disturbance, and what had all its runs only then
    waited_for: list[tuple[float, str]] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)

    @property
    def replay(self) -> str:
        """The command that does it again."""
        options = "".join(f" --{name}" for name in (*(("clocks",) if self.stepped else ()), *self.extras))
        return f"python -m tests.chaos --seed {self.seed} --seconds {self.seconds:g} --mode {self.mode}{options}"

    def recovered(self) -> list[float]:
        """All recovery times."""
        return [one.seconds for one in self.recoveries]

    def lines(self) -> list[str]:
        """For people."""
        hit = sum(self.calls_hit.values())
        found = [
            f"seed {self.seed}, {self.mode}, {self.seconds:g} s: {self.objects} objects changed, {self.runs} launches "
            f"ran, the function was called {self.calls} times",
            f"{self.deliveries} webhooks arrived, {self.repeated} of them again under an id that was known",
            f"{sum(self.disturbances.values())} disturbances, {hit} API calls hit; "
            f"all was done {self.settled_seconds:.1f} s after the last of them",
            f"from a change to its run: {times(self.latencies)}",
            f"from a disturbance to the next launch of what was under way: {times(self.recovered())}",
            f"from a disturbance to the last of them, others following every second: {times(self.completions)}",
        ]
        for kind, number in sorted(self.disturbances.items()):
            name = kind if kind not in self.calls_hit else f"{kind} ({self.calls_hit[kind]} calls)"
            found.append(f"  {number:4} {name:36} {times([r.seconds for r in self.recoveries if r.kind == kind])}")
        last = sorted(self.waited_for, reverse=True)[:SLOWEST]
        found += [f"last: {name}, {seconds:.1f} s after the last disturbance" for seconds, name in last]
        slowest = sorted(self.recoveries, key=lambda one: -one.seconds)[:SLOWEST]
        found += [f"slowest: {one.line()}" for one in slowest]
        found += [f"VIOLATION {text}" for text in self.violations]
        found.append(f"{'FAILED' if self.violations else 'passed'}; again: {self.replay}")
        return found

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        plain = asdict(replace(self, disturbances=Counter(), calls_hit=Counter()))  # it breaks what these hold
        counts = {"disturbances": dict(self.disturbances), "calls_hit": dict(self.calls_hit)}
        return plain | counts | {"replay": self.replay}


def times(seconds: Sequence[float]) -> str:
    """Median, 99th percentile and most."""
    if not seconds:
        return "-"
    ordered = sorted(seconds)
    p99 = ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))]
    return f"{statistics.median(ordered):.2f} s (p50), {p99:.2f} s (p99), {ordered[-1]:.2f} s (max)"
