"""What a worker has to know before the stage of a hint begins, kept at hand: asking first would cost trips to Redis.

A thread asks for it again and again: the records of the schedulers that hints were about, and what the account of API
calls knows (a pause, what is left of the month). What it has not heard for a while counts as unknown, and the stage
asks itself.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Final

import redis

from triggers.base.errors import Unreadable
from triggers.base.logs import logger
from triggers.base.settings import Settings
from triggers.ledger.deployment import schedulers
from triggers.ledger.deployment.schedulers import Scheduler

log = logger(__name__)

#: From one question to the next, seconds: within the second for which an answer of the account holds.
EVERY_SECONDS: Final = 0.7

#: How long a record is at hand after it was asked for, seconds.
FRESH_SECONDS: Final = 2.0

#: How long after its last hint the record of a scheduler is asked for, seconds.
KEPT_SECONDS: Final = 3600.0


class Records:
    """The records of schedulers as they were a moment ago. Threads share it."""

    def __init__(self, client: redis.Redis, of: Settings) -> None:
        self.client, self.settings = client, of
        self._wanted: dict[str, float] = {}
        self._known: dict[str, tuple[float, Scheduler | None, Unreadable | None]] = {}

    def of(self, scheduler_id: str) -> tuple[Scheduler | None, Unreadable | None]:
        """The record of one scheduler, or why it cannot be read; neither where there is none.

        Raises:
            redis.RedisError: it was not at hand, and Redis gave no answer.
        """
        now = time.monotonic()
        self._wanted[scheduler_id] = now
        at, record, fault = self._known.get(scheduler_id, (-FRESH_SECONDS, None, None))
        if now - at < FRESH_SECONDS:
            return record, fault
        found, unreadable = schedulers.read_all(self.client, self.settings, [scheduler_id])
        return found.get(scheduler_id), unreadable.get(scheduler_id)

    def refresh(self) -> None:
        """Ask for those that are wanted.

        Raises:
            redis.RedisError: Redis gave no answer.
        """
        now = time.monotonic()
        wanted = self._wanted = {id_: at for id_, at in list(self._wanted.items()) if now - at < KEPT_SECONDS}
        if not wanted:
            return
        found, unreadable = schedulers.read_all(self.client, self.settings, list(wanted))
        self._known = {id_: (now, found.get(id_), unreadable.get(id_)) for id_ in wanted}


class Refresher:
    """Calls what refreshes things, again and again."""

    def __init__(self, *refresh: Callable[[], None]) -> None:
        self._refresh, self._ended = refresh, threading.Event()

    def begin(self) -> None:
        """Begin, in a thread that keeps no process from ending."""
        threading.Thread(target=self._run, name="at-hand", daemon=True).start()

    def end(self) -> None:
        """Refresh nothing any more."""
        self._ended.set()

    def _run(self) -> None:
        pause = 0.0
        while not self._ended.wait(pause):
            began = time.monotonic()
            self.once()
            pause = max(0.1, began + EVERY_SECONDS - time.monotonic())

    def once(self) -> None:
        """Refresh once; what fails is asked for by the stages, which say what is wrong."""
        for refresh in self._refresh:
            try:
                refresh()
            except redis.RedisError as failure:
                log.debug("could not read what stages need; retrying: %s", failure)
            except Exception:
                log.exception("could not read what stages need")
