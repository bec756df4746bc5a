"""Ending the demo by a signal: noted when it comes, acted on between two steps, so that no step is cut in two."""

from __future__ import annotations

import signal
import time
from types import FrameType
from typing import Any


class Signals:
    """Takes SIGINT, SIGTERM and SIGHUP between `with` and its end; once the demo is ending they do nothing."""

    NUMBERS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

    def __init__(self) -> None:
        self._received: int | None = None
        self._previous: dict[int, Any] = {}

    def __enter__(self) -> Signals:
        for number in self.NUMBERS:
            self._previous[number] = signal.signal(number, self._note)
        return self

    def __exit__(self, *exc: object) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)

    def _note(self, number: int, _: FrameType | None) -> None:
        self._received = number

    def pause(self, seconds: float) -> None:
        """Wait.

        Raises:
            SystemExit: a signal has come; the code is the one that shells give it.
        """
        time.sleep(seconds)
        if self._received is not None:
            raise SystemExit(128 + self._received)
