"""The schedule of beat: which ticks it sends, and when. It uses the monotonic clock, which nobody can set back.

One message carries all ticks of a queue that are due together: it is a message of the first stage and names the others.
The worker that takes it makes the next ticks by itself (`workers.stints`), and beat sends none meanwhile.
"""

from __future__ import annotations

import math
import time
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from math import floor
from typing import Any, Final, Literal

import redis
from celery.beat import Scheduler
from kombu.exceptions import OperationalError

from triggers.base import redis_refusals
from triggers.base.logs import logger
from triggers.base.settings import settings
from triggers.ledger import connect
from triggers.ledger.deployment.ticking import Ticking
from triggers.stages import table
from workers import failover, watchdog

log = logger(__name__)

#: Errors of sending while Redis cannot be used.
UNSENT = (OperationalError, OSError, redis.RedisError)

#: Ticks that come due within this time are due together, seconds; rounding errors of summed paces are smaller.
_AT_ONCE_SECONDS: Final = 0.01


#: Minimum length of a stint, in seconds and in shortest paces of the queue; then another worker may have its turn.
_STINT_SECONDS: Final = 30.0
_STINT_PACES: Final = 4
#: A worker whose count has not changed for this long is gone, seconds: it counts one tick between two looks.
_SILENT_SECONDS: Final = 0.75 * table.TICK_SECONDS

#: What beat sends to a queue: nothing during a stint, the due ticks without one, all ticks if the stint broke.
Sends = Literal["nothing", "due", "all"]


@dataclass
class SeenStint:
    """What beat knows of the stint on a queue. Pure: the clock is an argument.

    Attributes:
        seconds: Length of a stint; afterwards, beat sends the next message.
        sent_at: When the last message was sent.
        count: Number of ticks at the last look, None without a stint.
        moved_at: When a look last found a new number, None if none has since the last message.
        is_gone: Whether the worker stopped during its stint, and no message was sent since.
    """

    seconds: float
    sent_at: float = -math.inf
    count: int | None = None
    moved_at: float | None = None
    is_gone: bool = False

    def look(self, count: int | None, now: float) -> Sends:
        """Take in the number of ticks counted now, None without a stint; return what to send."""
        if count is not None and count != self.count:
            self.moved_at, self.is_gone = now, False
        elif self.moved_at is not None and (count is None or now - self.moved_at >= _SILENT_SECONDS):
            self.moved_at, self.is_gone = None, True
        self.count = count
        if self.moved_at is None:
            return "all" if self.is_gone else "due"
        return "nothing" if now - self.sent_at < self.seconds - _AT_ONCE_SECONDS else "due"

    def sent(self, now: float) -> None:
        """Wait for a new stint: the worker that takes this message has to count a tick first."""
        self.sent_at, self.moved_at, self.is_gone = now, None, False


class Schedule(Scheduler):  # type: ignore[misc]
    """Sends each entry at its pace. Ticks carry no data, so nothing is remembered, and a superfluous one does nothing.

    Progress, as `watchdog` measures it, is a sent message, or a stint whose count moves.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._due: dict[str, float] = {}
        self._began = 0.0
        self._stints: dict[str, SeenStint] = {}
        self._redis: Ticking | None = None
        super().__init__(*args, **kwargs)

    def tick(self, *args: Any, **kwargs: Any) -> float:  # noqa: ARG002
        """Send the due ticks that no stint makes; return the seconds until the next call."""
        now = time.monotonic()
        due = set(self._what_is_due(now))
        queues = {entries[0].options["queue"]: entries for entries in together(self.schedule.values())}
        counts = self._look(list(queues), now)
        seen_to = [self._see_to(queue, entries, due, counts, now) for queue, entries in queues.items()]
        if any(seen_to):
            watchdog.beat.ticked_at = now
        next_due = min(self._due.values(), default=now + self.max_interval)
        return float(max(0.01, min(next_due - time.monotonic(), self.max_interval)))

    def _what_is_due(self, now: float) -> Iterator[str]:
        if not self._due:
            self._began, self._stints = now, {}
        for name, entry in self.schedule.items():
            if now >= self._due.get(name, now) - _AT_ONCE_SECONDS:
                # on a grid of its pace; all grids begin at the same time, and missed ticks are not made up for
                every, past = entry.schedule.seconds, now + _AT_ONCE_SECONDS - self._began
                self._due[name] = self._began + every * (floor(past / every) + 1)
                yield name

    def _see_to(
        self, queue: str, entries: list[Any], due: Collection[str], counts: Mapping[str, int | None], now: float
    ) -> bool:
        """Send a queue its ticks; return whether a message was sent or a stint makes them."""
        longest = stint_seconds(min(entry.schedule.seconds for entry in entries))
        stint = self._stints.setdefault(queue, SeenStint(longest))
        sends = stint.look(counts.get(queue), now)
        if sends == "nothing":
            return True
        chosen = [entry for entry in entries if sends == "all" or entry.name in due]
        if not chosen or not self._send(chosen[0], chosen[1:], stint, now):
            return False
        stint.sent(now)
        return True

    def _look(self, queues: list[str], now: float) -> Mapping[str, int | None]:
        """The ticks that workers have counted, by queue; empty if Redis cannot be read: then beat sends every tick."""
        try:
            return self._ticking().counts(queues)
        except UNSENT as failure:
            redis_refusals.look_for_primary(self._ticking().client, failure)
            watchdog.beat.excuse(now)
            return {}

    def _open(self, queue: str, seconds: float) -> None:
        """Let whoever takes the next message go on by itself; where Redis refuses that, each tick is sent."""
        try:
            self._ticking().open(queue, seconds)
        except redis.ResponseError as refusal:  # the key is of another's making, or Redis has become a replica
            redis_refusals.look_for_primary(self._ticking().client, refusal)

    def _ticking(self) -> Ticking:
        if self._redis is None:
            self._redis = Ticking(connect(settings().redis_url or ""))
        return self._redis

    def _send(self, entry: Any, others: list[Any], stint: SeenStint, now: float) -> bool:
        try:
            self._open(entry.options["queue"], stint.seconds)
            also = [other.task.rpartition(".")[2] for other in others]
            self.app.send_task(entry.task, [*(entry.args or ()), *also], entry.kwargs, **entry.options)
        except UNSENT as failure:
            log.warning("could not send the tick %s: %s", entry.name, failure)
            failover.look_for_primary(self.app, failure)
            redis_refusals.look_for_primary(self._ticking().client, failure)
            watchdog.beat.excuse(now)  # a restart would fix nothing
            return False
        for one in (entry, *others):
            self.logger.info("Scheduler: Sending due task %s (%s)", one.name, one.task)
        return True


def stint_seconds(pace: float) -> float:
    """Longest stint on a queue whose shortest pace is `pace`, both in seconds."""
    return max(_STINT_SECONDS, _STINT_PACES * pace)


def together(due: Iterable[Any]) -> list[list[Any]]:
    """Group entries by the message that carries their ticks: one group for each queue, in the order of the stages."""
    order = [stage.task for stage in table.STAGES]
    found: dict[str, list[Any]] = {}
    for entry in sorted(due, key=lambda one: order.index(one.task)):
        found.setdefault(entry.options["queue"], []).append(entry)
    return list(found.values())
