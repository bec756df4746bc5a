"""How a verb ends that goes on until Ctrl-C: that is its orderly end, and no failure to whatever supervises it."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

import typer


@contextmanager
def until_stopped() -> Iterator[None]:
    """Let the body go on until Ctrl-C or SIGTERM, then end the verb with exit code 0.

    Verbs that are to end by themselves do not use it: interrupted, they have not done their work (130).
    """
    is_main = threading.current_thread() is threading.main_thread()
    previous = signal.signal(signal.SIGTERM, _interrupt) if is_main else None
    try:
        yield
    except KeyboardInterrupt:
        raise typer.Exit(0) from None
    finally:
        if is_main:
            signal.signal(signal.SIGTERM, previous)


def _interrupt(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
    raise KeyboardInterrupt
