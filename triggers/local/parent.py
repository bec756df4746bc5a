"""For the child of local mode: noticing that the parent has ended."""

from __future__ import annotations

import os
import select
import signal
import threading
import time
from collections.abc import Callable

#: seconds between looks at the parent's pid, for the case that a copy of the parent keeps the pipe open
_LOOK_SECONDS = 2.0
#: seconds that an orderly end may take before the process ends at once
_PATIENCE_SECONDS = 6.0


def watch_parent(descriptor: int, on_death: Callable[[], None]) -> threading.Thread:
    """Call `on_death` once, from a thread of its own, when the parent has ended in whatever way.

    The parent holds the other end of the pipe `descriptor` and never writes to it: its end is the parent's.
    """
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            readable, _, _ = select.select([descriptor], [], [], _LOOK_SECONDS)
            if readable and not os.read(descriptor, 1):
                break
        on_death()

    thread = threading.Thread(target=watch, name="triggers-parent", daemon=True)
    thread.start()
    return thread


def wait_until_released(descriptor: int) -> None:
    """Wait for the parent to close its end of a pipe, which it never writes to; its death closes it as well."""
    try:
        os.read(descriptor, 1)
    finally:
        os.close(descriptor)


def end_with_parent(descriptor: int) -> threading.Thread:
    """End this process with its parent: in order (SIGTERM to itself), and at once if that takes long."""

    def on_death() -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(_PATIENCE_SECONDS)
        os._exit(1)

    return watch_parent(descriptor, on_death)
