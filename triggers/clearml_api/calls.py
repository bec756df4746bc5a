"""Every HTTP request to the ClearML server, counted where it is sent: by cause, endpoint, and how it ended.

Hosted servers count requests by the month, so a log-in and a second try count as well. The counts stay in the process
until somebody takes them to Redis (`context.api_account`).
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final, NamedTuple

#: The result of a request without a complete answer.
UNAVAILABLE: Final = "unavailable"


class Counted(NamedTuple):
    """What a request is counted as. `result` is `ok`, an HTTP status, or `unavailable`."""

    cause: str
    endpoint: str
    result: str


#: Why requests are made now, in this thread: `poll`, `launch`, ...; "" where their client names the cause.
_cause: ContextVar[str] = ContextVar("cause", default="")


@contextmanager
def caused_by(cause: str) -> Iterator[None]:
    """Count the requests of the body under this cause."""
    token = _cause.set(cause)
    try:
        yield
    finally:
        _cause.reset(token)


def cause_now(otherwise: str) -> str:
    """Why requests are made now, in this thread; `otherwise` where `caused_by` says nothing."""
    return _cause.get() or otherwise


class CallTally:
    """Counts of one process. Threads share it."""

    def __init__(self) -> None:
        self._counts: Counter[Counted] = Counter()
        self._under_way = 0
        self._lock = threading.Lock()

    @property
    def under_way(self) -> int:
        """Requests that were begun and are not counted yet. Read it before `take`, so that none is in neither."""
        return self._under_way

    @contextmanager
    def request(self) -> Iterator[None]:
        """Tell that a request is under way while the body runs, which counts it once it was sent."""
        with self._lock:
            self._under_way += 1
        try:
            yield
        finally:
            with self._lock:
                self._under_way -= 1

    def add(self, endpoint: str, status: int | None, cause: str) -> None:
        """Count one request; `status` is None where no complete answer came. `cause`: where `caused_by` says none."""
        result = UNAVAILABLE if status is None else "ok" if 200 <= status < 300 else str(status)
        with self._lock:
            self._counts[Counted(cause_now(cause), endpoint, result)] += 1

    def take(self) -> dict[Counted, int]:
        """Give what was counted since the last time, and begin anew."""
        with self._lock:
            counts, self._counts = self._counts, Counter()
        return dict(counts)

    def put_back(self, counts: Mapping[Counted, int]) -> None:
        """Count again what could not be stored."""
        with self._lock:
            self._counts.update(counts)


#: The tally of this process.
TALLY: Final = CallTally()
