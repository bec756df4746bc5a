"""Beat and workers by a clock of their own: who is sent what, and when the rounds of each stage begin."""

from __future__ import annotations

import heapq
import itertools
import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import redis
from celery import Celery

from triggers.base.settings import Settings

#: From a message that is sent to the worker that has taken it, seconds.
DELIVERY = 0.01


class Counted:
    """What `Ticking` keeps in Redis, kept here; while it is away nothing answers."""

    client = None

    def __init__(self) -> None:
        self.kept: dict[str, tuple[str, int | None]] = {}
        self.is_away = False

    def open(self, queue: str, seconds: float) -> None:
        self._answers()
        self.kept.setdefault(queue, ("", None))

    def counts(self, queues: Sequence[str]) -> dict[str, int | None]:
        self._answers()
        return {queue: self.kept.get(queue, ("", None))[1] for queue in queues}

    def take(self, queue: str, name: str) -> bool:
        return self._count(queue, name, lambda by: by is not None)

    def go_on(self, queue: str, name: str) -> bool:
        return self._count(queue, name, lambda by: by == name)

    def leave(self, queue: str, name: str) -> None:
        self._answers()
        if self.kept.get(queue, ("", None))[0] == name:
            del self.kept[queue]

    def _count(self, queue: str, name: str, may: Callable[[str | None], bool]) -> bool:
        self._answers()
        by, count = self.kept.get(queue, (None, None))
        if not may(by):
            return False
        self.kept[queue] = (name, (count or 0) + 1)
        return True

    def _answers(self) -> None:
        if self.is_away:
            raise redis.ConnectionError("Redis is away")


class Sent(Celery):  # type: ignore[misc]
    """Keeps what would be sent."""

    def send_task(self, name: str, args: Any = None, kwargs: Any = None, **options: Any) -> None:
        self.sent.append((name, tuple(args or ()), options["queue"]))


class FakeRounds:
    """Rounds of one stage in one worker, which take no time unless the worker is busy."""

    def __init__(self, worker: FakeWorker, stage: str) -> None:
        self.worker, self.stage = worker, stage

    def start(self, served: Mapping[str, Any]) -> None:
        self.worker.world.begun[self.stage].append(self.worker.world.now)

    def busy_seconds(self, now: float) -> float:
        return 60.0 if self.worker.is_busy else 0.0

    @property
    def has_news(self) -> bool:
        return self.worker.has_news


class FakeWorker:
    """One worker process of a queue; `is_up` until it is killed."""

    def __init__(self, world: World, queue: str, name: str) -> None:
        from workers.stints import Stint, paces_of

        self.world, self.queue, self.name = world, queue, name
        self.reads = 0  # of who there is to serve
        self.is_up, self.is_busy, self.has_news, self.leaves_alone = True, False, False, False
        paces = paces_of(queue, Settings(redis_url="redis://localhost:1/0"))
        rounds = {stage: FakeRounds(self, stage) for stage in paces}
        worker = self

        class Stepped(Stint):
            """Goes on when the world says so, not in a thread."""

            def _begin(self, now: float) -> threading.Thread:
                world.later(0.0, lambda: worker.waits(now))
                return threading.current_thread()

        def served() -> Any:
            worker.reads += 1
            return None if worker.leaves_alone else {"a": "scheduler"}

        self.stint = Stepped(queue, paces, rounds, served, world.counted, name)  # type: ignore[arg-type]

    def takes(self, stages: Sequence[str]) -> None:
        if not self.is_up:
            return
        for stage in stages:
            self.world.begun[stage].append(self.world.now)
        self.has_news = False
        self.stint.took(stages)

    def waits(self, at: float) -> None:
        """Let it tick when it is to."""
        self.world.later(self.stint.next_at(at, self.world.now) - self.world.now, self.ticks)

    def ticks(self) -> None:
        """Tick by itself, as its thread does."""
        if self.is_up and self.stint._goes_on(self.world.now):
            self.waits(self.world.now)
        else:
            self.stint._thread = None

    def ends(self) -> None:
        """End as a process does that is asked to."""
        self.stint.finish()
        self.ticks()
        self.is_up = False


class World:
    """Runs beat and workers for some seconds of a clock of its own."""

    def __init__(self, schedule: Any, counted: Counted, workers: int = 1) -> None:
        self.schedule, self.counted, self.now = schedule, counted, 1000.0
        self.begun: dict[str, list[float]] = defaultdict(list)
        self.messages: Counter[str] = Counter()
        self.lateness = itertools.repeat(0.0)
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._number = itertools.count()
        self.workers = [
            FakeWorker(self, queue, f"{queue} {n}") for queue in ("poll", "dispatch") for n in range(workers)
        ]
        self._turns = itertools.count()
        self.later(0.0, self._beat)

    def later(self, seconds: float, what: Callable[[], None]) -> None:
        """Do something after some seconds."""
        heapq.heappush(self._events, (self.now + seconds, next(self._number), what))

    def run(self, seconds: float) -> None:
        """Let so much time pass."""
        until = self.now + seconds
        while self._events and self._events[0][0] <= until:
            self.now, _, what = heapq.heappop(self._events)
            what()
        self.now = until

    def up(self, queue: str) -> list[FakeWorker]:
        """The workers of a queue that run."""
        return [worker for worker in self.workers if worker.queue == queue and worker.is_up]

    def _beat(self) -> None:
        self.schedule.app.sent.clear()
        pause = self.schedule.tick()
        for name, also, queue in self.schedule.app.sent:
            self.messages[queue] += 1
            if up := self.up(queue):
                stages, worker = (name.rpartition(".")[2], *also), up[next(self._turns) % len(up)]
                self.later(DELIVERY, partial(worker.takes, stages))
        self.later(pause + next(self.lateness), self._beat)
