"""SIGINT and SIGTERM for a process that serves: everything is stopped first, then it ends as without us."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any


class Interrupted(SystemExit, KeyboardInterrupt):
    """Ctrl-C, after everything was stopped: a `KeyboardInterrupt` for a script that catches it.

    For one that does not, the end of the process without a traceback.
    """


def _interrupted(code: int) -> Interrupted:
    """The exception to raise. Python 3.14 and later look at `KeyboardInterrupt` first, and would print a traceback."""
    others = sys.excepthook

    def end(kind: type[BaseException], value: BaseException, traceback: TracebackType | None) -> None:
        if isinstance(value, Interrupted):
            raise SystemExit(value.code)
        others(kind, value, traceback)

    sys.excepthook = end
    return Interrupted(code)


def end_process(number: int) -> None:
    """End as without us: by KeyboardInterrupt, the SDK's or the user's handler, after everything was stopped."""
    try:
        signal.raise_signal(number)
        if number == signal.SIGTERM:
            # still here: the SDK's handler of SIGTERM does nothing where the user has none, while that of
            # SIGINT lets the service task end as stopped
            signal.raise_signal(signal.SIGINT)
    except KeyboardInterrupt:
        raise _interrupted(128 + number) from None
    # a shell without job control starts what it sends to the background with SIGINT ignored
    if number == signal.SIGTERM or signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        raise _interrupted(128 + number)


class handled:  # noqa: N801  a context manager, read like a function
    """Call `handler` with the number of a signal while the body runs; only the main thread can."""

    def __init__(self, handler: Callable[[int], None], *numbers: int) -> None:
        self.handler, self.numbers = handler, numbers
        self.previous: dict[int, Any] = {}

    def __enter__(self) -> None:
        if threading.current_thread() is threading.main_thread():
            for number in self.numbers:
                self.previous[number] = signal.signal(number, self._handle)

    def _handle(self, number: int, _: FrameType | None) -> None:
        self.handler(number)

    def __exit__(self, *exc: object) -> None:
        for number, handler in self.previous.items():
            signal.signal(number, handler)
        self.previous = {}
