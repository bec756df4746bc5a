"""How a verb ends that goes on until Ctrl-C: that is its orderly end, and no failure to whatever supervises it."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

import typer

from triggers.base import ending


@contextmanager
def until_stopped() -> Iterator[None]:
    """Let the body go on until Ctrl-C or SIGTERM, then end the verb with exit code 0.

    Verbs that are to end by themselves do not use it: interrupted, they have not done their work (130).
    """
    ending.begin()
    previous = {number: signal.signal(number, _interrupt) for number in _numbers()}
    try:
        yield
    except KeyboardInterrupt:
        raise typer.Exit(0) from None
    except Exception:
        # an import that is interrupted fails with whatever the module makes of it
        if ending.asked():
            raise typer.Exit(0) from None
        raise
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def _numbers() -> list[signal.Signals]:
    """What ends the verb: SIGINT too, unless a shell without job control lets what is in the background ignore it."""
    if threading.current_thread() is not threading.main_thread():
        return []
    ignored = signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    return [signal.SIGTERM] if ignored else [signal.SIGTERM, signal.SIGINT]


def _interrupt(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
    ending.ask(number)
    raise KeyboardInterrupt
