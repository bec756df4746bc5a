"""Whether this process may call the ClearML server: not while a pause lasts, and one call at a time right after it."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Final

from triggers.base.errors import ServerBusy
from triggers.clearml_api.pauses import AWAY, REMEMBERED_SECONDS, Pause, family, pause_after

#: How long a call waits for the one that tries whether calls are taken again, seconds.
TRY_SECONDS: Final = 10.0

_NONE: Final = Pause(0.0, 0, "")


class Gate:
    """What one process knows of pauses. Threads share it.

    Of a server that goes on refusing, every call of every thread would be refused at the end of each pause, and each
    answer would double the next one. So one call goes first, and the answers to calls that were under way when a pause
    began count once. Calls go side by side again when the endpoint that was refused has given a good answer.
    """

    def __init__(self) -> None:
        self._trying = threading.Lock()
        self._until, self._began = 0.0, 0.0
        self._pause = _NONE
        #: A call that was refused was taken again, which other processes should know; False once they do.
        self.is_open_again = False

    @property
    def seconds_left(self) -> float:
        """What is left of a pause; 0 without one."""
        return max(0.0, self._until - time.monotonic())

    @property
    def why(self) -> str:
        """What asked for the last pause."""
        return self._pause.why

    @property
    def is_trying(self) -> bool:
        """Whether a pause is over, and it is not known yet whether the call that was refused is taken again."""
        now = time.monotonic()
        return self._pause.times > 0 and self._until <= now < self._until + REMEMBERED_SECONDS

    def keep(self, pause: Pause) -> None:
        """Let no call pass for a while; a longer pause stays."""
        now = time.monotonic()
        if now + pause.seconds > self._until:
            self._until, self._began, self._pause = now + pause.seconds, now, pause

    @contextmanager
    def passing(self, where: str) -> Iterator[float]:
        """Let one call pass; gives the time from which it counts.

        Raises:
            ServerBusy: a pause lasts, or another call still tries whether it is over.
        """
        self._refuse(where)
        if not self.is_trying:
            yield time.monotonic()
            return
        if not self._trying.acquire(timeout=TRY_SECONDS):
            raise ServerBusy(f"{where}: not asked: another call tries whether the server accepts calls again", 1.0)
        try:
            self._refuse(where)  # the other one was refused
            yield time.monotonic()
        finally:
            self._trying.release()

    def _refuse(self, where: str) -> None:
        if left := self.seconds_left:
            why = f" ({self.why})" if self.why else ""
            raise ServerBusy(f"{where}: not asked: calls wait for another {math.ceil(left)} s{why}", left)

    def accepted(self, endpoint: str, sent_at: float) -> None:
        """A call that was sent at that time had a good answer."""
        refused = self._pause.endpoint
        if self._pause is not _NONE and sent_at >= self._until and refused in ("", family(endpoint)):
            self.is_open_again = self.is_open_again or self._pause.times > 0
            self._pause = _NONE

    def open(self) -> None:
        """Let calls go side by side again, unless a pause lasts: a call of another process was taken."""
        if not self.seconds_left:
            self._pause = _NONE

    def refused(self, endpoint: str, sent_at: float, status: int, meta: Any, retry_after: float) -> Pause | None:
        """Keep the pause that an answer asks for; None if it asks for none.

        Args:
            endpoint: that was called.
            sent_at: when.
            status: of HTTP.
            meta: of the answer, as far as it has one.
            retry_after: what its `Retry-After` asks for, seconds; 0 for nothing.
        """
        times = self._pause.times
        if time.monotonic() >= self._until + REMEMBERED_SECONDS:
            times = 0
        elif sent_at < self._began:
            times = max(0, times - 1)  # what brought about this pause, once more
        pause = pause_after(status, meta, retry_after, times)
        if pause is None:
            return None
        more = status != AWAY  # one that is away has not judged the call
        pause = replace(pause, endpoint=family(endpoint) if more else self._pause.endpoint)
        self.keep(pause)
        return pause
