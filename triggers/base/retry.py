"""Patience with a ClearML server that gives no usable answer for a while when a scheduler starts."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final, TypeVar

from triggers.base.errors import ServerBusy, ServerUnavailable
from triggers.base.terminal import say

T = TypeVar("T")

#: How long a start goes on asking, and the pause between two times, seconds.
PATIENCE_SECONDS: Final = 120.0
PAUSE_SECONDS: Final = 2.0

#: Pause between two log lines about a wait that continues, seconds.
TELL_SECONDS: Final = 10.0


def patiently(
    do: Callable[[], T],
    *,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
    tell_seconds: float = TELL_SECONDS,
    reason: str = "the ClearML server answers late or not at all",
) -> T:
    """Do what may be done twice, again and again while the ClearML server gives no usable answer.

    A service that is started while the server restarts would else end, and its supervisor try it from the beginning.
    Standard error says so: at the first failure, and every ten seconds, an attempt that takes long included; then with
    `reason`. A server that refuses calls for longer than that is not waited for.

    Raises:
        ServerBusy: it wants a pause that ends after two minutes.
        ServerUnavailable: it gave none for two minutes.
    """
    began = clock()
    with _telling(_Wait(began, clock, reason), tell_seconds) as wait:
        while True:
            try:
                return do()
            except ServerUnavailable as failure:
                pause = max(PAUSE_SECONDS, failure.seconds) if isinstance(failure, ServerBusy) else PAUSE_SECONDS
                left = began + PATIENCE_SECONDS - clock()
                if left <= 0 or pause > max(left, PAUSE_SECONDS):
                    raise
                wait.failed(failure)
                sleep(pause)


class _Wait:
    """What is known of a wait, and the lines that say so."""

    def __init__(self, began: float, clock: Callable[[], float], reason: str) -> None:
        self._began, self._clock, self._reason = began, clock, reason
        self._told, self._does = False, "waiting"

    def failed(self, failure: ServerUnavailable) -> None:
        """Note why the last attempt failed; the first time, say so."""
        self._reason, self._does = str(failure), "retrying"
        if not self._told:
            self._told = True
            self._say(f"{self._reason}; retrying for up to {PATIENCE_SECONDS / 60:g} minutes")

    def still(self) -> None:
        """Say that it goes on."""
        self._told = True
        self._say(f"still {self._does} after {self._clock() - self._began:.0f} s: {self._reason}")

    @staticmethod
    def _say(text: str) -> None:
        say(f"triggers: {text}", error=True)


@contextmanager
def _telling(wait: _Wait, every_seconds: float) -> Iterator[_Wait]:
    """Tell of a wait while the body runs."""
    over = threading.Event()

    def tell() -> None:
        while not over.wait(every_seconds):
            wait.still()

    thread = threading.Thread(target=tell, name="patience", daemon=True)
    thread.start()
    try:
        yield wait
    finally:
        over.set()
        thread.join()
