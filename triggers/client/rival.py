"""Whether a process that holds the lease "home" and declares other triggers still runs, or died holding it."""

from __future__ import annotations

import os
import socket

from triggers.ledger.deployment.leaders import Held, Leader


class Rival:
    """What is known of it. A process that serves renews its lease all the time; one that was killed does not."""

    def __init__(self) -> None:
        self._first: Held | None = None

    def is_alive(self, held: Held) -> bool:
        """Known at once of a process of this machine; of another, once its lease has been renewed."""
        if _runs_here(held.leader):
            return True
        if self._first is None or self._first.leader != held.leader:
            self._first = held
        return held.until_ms > self._first.until_ms


def _runs_here(leader: Leader) -> bool:
    """False also for a process of another machine or container, which cannot be seen from here."""
    if leader.host != socket.gethostname() or leader.pid <= 0:
        return False
    try:
        os.kill(leader.pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # another user's
        return True
    return True
