"""Stints: a worker that took a tick makes the next ones by itself, so beat does not send a message every second.

The worker counts its ticks in Redis, and beat reads the count every second. If the worker dies, hangs or loses its
connection, the count stops, and beat sends the next tick as a message. The worker ends its stint if another worker of
the queue could do more: while work that it began earlier is still running, or if it does not serve every scheduler.
"""

from __future__ import annotations

import math
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, Protocol

import redis

from triggers.base import redis_refusals
from triggers.base.logs import logger
from triggers.base.settings import Settings
from triggers.ledger.deployment.schedulers import Scheduler
from triggers.ledger.deployment.ticking import Ticking
from triggers.stages import table

log = logger(__name__)

#: Work that has been running for this long makes the process busy, seconds. `clock` waits that long for due times.
BUSY_SECONDS: Final = 1.5
#: A stint with something to show in Flower ends this long after its message, so that the next one shows it, seconds.
SHOWN_SECONDS: Final = 10.0

#: How early a round may begin, as a share of the time between two ticks: the first tick follows its message by half.
_EARLY: Final = 0.6
#: Distinguishes this process from others.
_PROCESS: Final = uuid.uuid4().hex[:12]


class StageRounds(Protocol):
    """The rounds of one stage in this process, as `workers.ticks` has them."""

    def start(self, served: Mapping[str, Scheduler]) -> None:
        """Begin the work for each scheduler that has no work of this stage running."""

    def busy_seconds(self, now: float) -> float:
        """How long the oldest running work has been running."""

    @property
    def has_news(self) -> bool:
        """Whether the next message would report something."""


class Stint:
    """The ticks of one queue that this process makes by itself. Thread-safe.

    Args:
        queue: name of the queue.
        paces: seconds between two ticks of each stage that ticks on this queue.
        rounds: the rounds of these stages.
        served: returns the schedulers by id, or None if this process does not serve all of them.
        ticking: the counts of ticks in Redis.
        name: name of this process.
    """

    def __init__(
        self,
        queue: str,
        paces: Mapping[str, float],
        rounds: Mapping[str, StageRounds],
        served: Callable[[], Mapping[str, Scheduler] | None],
        ticking: Ticking,
        name: str = _PROCESS,
    ) -> None:
        self.queue, self._paces, self._served, self._ticking, self._name = queue, paces, served, ticking, name
        self._rounds = {stage: rounds[stage] for stage in paces}
        self._period = min([table.TICK_SECONDS, *paces.values()])
        self._began: dict[str, float] = {}
        self._took_at = self._followed_at = -math.inf
        self._thread: threading.Thread | None = None
        self._lock, self._ending = threading.Lock(), threading.Event()

    def took(self, stages: Iterable[str]) -> None:
        """Begin a stint after a message that has just begun rounds of these stages.

        Does nothing if the process is ending or busy, or does not serve all schedulers: another worker can do more.
        """
        now = time.monotonic()
        if self._ending.is_set() or not self._paces or self._is_busy(now) or self._served() is None:
            return
        try:
            if not self._ticking.take(self.queue, self._name):
                return
        except redis.RedisError as failure:  # the next message comes
            redis_refusals.look_for_primary(self._ticking.client, failure)
            return
        with self._lock:
            self._began |= dict.fromkeys(stages, now)
            self._took_at = now
            if self._thread is None:
                self._thread = self._begin(now)

    def _begin(self, now: float) -> threading.Thread:
        thread = threading.Thread(target=self._run, args=(now,), name=f"ticks {self.queue}", daemon=True)
        thread.start()
        return thread

    def finish(self) -> None:
        """Make no further tick, because this process is ending."""
        self._ending.set()

    def step(self, at: float) -> bool:
        """Make the tick of a time (monotonic); return whether the stint continues."""
        if self._ending.is_set() or self._is_busy(at) or self._shows_news(at):
            return False
        try:
            if not self._ticking.go_on(self.queue, self._name):
                return False
        except redis.RedisError as failure:
            redis_refusals.look_for_primary(self._ticking.client, failure)
            return True
        return self._begin_due(self._due(at), at)

    def _due(self, at: float) -> list[str]:
        with self._lock:
            early = at + _EARLY * self._period
            return [stage for stage, pace in self._paces.items() if early - self._began.get(stage, -math.inf) >= pace]

    def _begin_due(self, due: list[str], at: float) -> bool:
        served = self._served() if due else {}  # reading who there is costs the more, the more schedulers there are
        if served:
            with self._lock:
                self._began |= dict.fromkeys(due, at)
            for stage in due:
                self._rounds[stage].start(served)
        return served is not None

    def next_at(self, at: float, now: float) -> float:
        """The time of the next tick: midway between two looks of beat, which fall on the times of its messages."""
        with self._lock:
            if self._followed_at != self._took_at:
                self._followed_at = self._took_at
                return self._took_at + self._period / 2
        return max(at + self._period, now)  # missed ticks are not made up for

    def _run(self, began: float) -> None:
        at = took_at = began
        while True:
            at = self.next_at(at, time.monotonic())
            self._ending.wait(max(0.0, at - time.monotonic()))
            if self._goes_on(at):
                continue
            with self._lock:
                if self._took_at == took_at or self._ending.is_set():
                    self._thread = None
                    return
                took_at = self._took_at

    def _goes_on(self, at: float) -> bool:
        try:
            if self.step(at):
                return True
            self._ticking.leave(self.queue, self._name)
        except redis.RedisError as failure:
            redis_refusals.look_for_primary(self._ticking.client, failure)
        except Exception:  # nobody waits for the thread; beat sends the next tick
            log.exception("ticking by itself failed")
        return False

    def _is_busy(self, now: float) -> bool:
        return any(rounds.busy_seconds(now) >= BUSY_SECONDS for rounds in self._rounds.values())

    def _shows_news(self, now: float) -> bool:
        return now - self._took_at >= SHOWN_SECONDS and any(one.has_news for one in self._rounds.values())


def paces_of(queue: str, of: Settings) -> dict[str, float]:
    """Seconds between two ticks of each stage that ticks on a queue."""
    rows: Any = ((row.name, row.seconds(of)) for row in table.STAGES if queue in row.queues)
    return {name: seconds for name, seconds in rows if seconds is not None}
