"""What one HTTP exchange ends with: a complete answer, or none. `transport` makes them.

Apart from `transport`, so that urllib3 is imported by the processes that call a ClearML server and by no other: it
brings a tenth of what a verb imports that only reads Redis.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

#: Longest wait for a connection, seconds.
CONNECT_SECONDS = 5.0


class Broken(Exception):
    """There was no complete answer; `timed_out` tells whether one may still be on its way."""

    def __init__(self, reason: str, timed_out: bool) -> None:
        super().__init__(reason)
        self.timed_out = timed_out


@dataclass(frozen=True, slots=True)
class Reply:
    """A complete HTTP answer, and how long it took from before the call was sent."""

    status: int
    headers: Mapping[str, str]
    content: bytes
    seconds: float
