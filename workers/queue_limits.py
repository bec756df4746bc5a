"""Queues of bounded length. Hints are all alike: of those that nobody takes for days, the newest are enough.

Beat, matchers, dispatchers and `reconcile` go on sending while a role is away. The oldest hints are cut off, and what
they pointed at is found all the same: `reconcile` re-sends each hint as long as something waits.
"""

from __future__ import annotations

import threading
from collections import Counter
from typing import Any, Final

import redis
from celery.signals import after_task_publish

from triggers.base.broker import broker_prefix
from triggers.base.logs import logger
from triggers.base.settings import settings
from triggers.ledger import connect
from triggers.stages import table

log = logger(__name__)

#: Messages kept in a queue: a hint of each of hundreds of schedulers and many minutes of ticks, about a megabyte.
LONGEST: Final = 1000

#: Messages that a process sends between two cuts, so that a cut costs next to nothing.
_SENT_BETWEEN: Final = 50


class Bound:
    """Cuts each queue that this process sends to. Thread-safe."""

    def __init__(self, client: redis.Redis, longest: int = LONGEST) -> None:
        self.client, self.longest = client, longest
        self._sent: Counter[str] = Counter()
        self._counting = threading.Lock()

    def sent(self, queue: str) -> None:
        """Say that a message was sent; the first and every fiftieth cuts its queue. Never fails."""
        with self._counting:
            due = self._sent[queue] % _SENT_BETWEEN == 0
            self._sent[queue] += 1
        if due:
            try:
                # Celery puts new messages in front
                self.client.ltrim(broker_prefix() + queue, 0, self.longest - 1)
            except (redis.RedisError, OSError) as failure:
                log.debug("could not shorten the queue %s: %s", queue, failure)
                with self._counting:
                    self._sent[queue] = 0


_bound: list[Bound] = []


@after_task_publish.connect  # type: ignore[untyped-decorator]
def _cut(routing_key: str = "", **_: Any) -> None:
    if routing_key in table.queues():
        if not _bound:
            _bound.append(Bound(connect(settings().redis_url or "")))
        _bound[0].sent(routing_key)
