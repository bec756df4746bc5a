"""Room for polls and launches: ticks of what can wait never take the last thread of a worker process."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import wraps
from typing import Any, Final

from celery.signals import celeryd_after_setup

from triggers.base.logs import logger

log = logger(__name__)


class Room:
    """Counts the threads that work on ticks which can wait; `most` may at once."""

    def __init__(self, most: int = 1) -> None:
        self.most, self._busy, self._lock = most, 0, threading.Lock()

    def take(self) -> bool:
        """Take a thread; False where the one that is left is for others."""
        with self._lock:
            if self._busy >= self.most:
                return False
            self._busy += 1
            return True

    def leave(self) -> None:
        """Give it back."""
        with self._lock:
            self._busy -= 1


#: Of this process.
ROOM: Final = Room()


@celeryd_after_setup.connect  # type: ignore[untyped-decorator]
def _know_threads(instance: Any, **_: Any) -> None:
    ROOM.most = max(1, int(instance.concurrency or 1) - 1)


def leaving_room(run: Callable[[], str], room: Room = ROOM) -> Callable[[], str]:
    """Let a tick do nothing while as many threads work on such ticks as may: the next one does what is due."""

    @wraps(run)
    def tick() -> str:
        if not room.take():
            log.debug("%s leaves the last thread to others", run.__name__)
            return ""
        try:
            return run()
        finally:
            room.leave()

    return tick
