"""The server's clock: real time plus an offset that a test may choose, one per replica if it likes."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import datetime


def stamp(seconds: float, digits: int = 3) -> str:
    """A time as the API writes it, cut to milliseconds (or, with 6 digits, to microseconds)."""
    micros = int(seconds * 1_000_000 + 0.5)
    whole, rest = divmod(micros, 1_000_000)
    if digits == 3:
        rest -= rest % 1000
    return f"{_second(whole)}.{rest:06d}+00:00"


def seconds_between(earlier: str, later: str) -> int:
    """Whole seconds between two stored times."""
    return int((datetime.fromisoformat(later) - datetime.fromisoformat(earlier)).total_seconds())


_last_second: tuple[int, str] = (-1, "")


def _second(whole: int) -> str:
    """The text of a whole second; most calls ask for the same one again."""
    global _last_second
    known = _last_second
    if known[0] != whole:
        known = _last_second = (whole, time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(whole)))
    return known[1]


@dataclass
class Clock:
    """What the server takes for now."""

    #: seconds added to real time
    offset_seconds: float = 0.0
    #: seconds that only the HTTP `Date` is ahead, as where a proxy with a clock of its own writes it
    date_offset_seconds: float = 0.0
    #: further offsets in seconds, one per replica of the server; empty: one server
    replicas: list[float] = field(default_factory=list)
    #: how a call finds its replica: "call" in turn, "caller" always the same one for one caller
    by: str = "call"
    _turn: int = 0

    def now(self, caller: str = "") -> float:
        """Seconds since the epoch, as the replica that serves this call sees them."""
        now = time.time() + self.offset_seconds
        if self.replicas:
            now += self.replicas[self._replica(caller)]
        return now

    def _replica(self, caller: str) -> int:
        if self.by == "caller":
            return sum(caller.encode()) % len(self.replicas)
        self._turn += 1
        return self._turn % len(self.replicas)

    def now_of(self, caller: str) -> float:
        """The time of the replica that has just served a call."""
        now = time.time() + self.offset_seconds
        index = self._replica(caller) if self.by == "caller" else self._turn % len(self.replicas)
        return now + self.replicas[index]
