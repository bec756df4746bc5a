"""Ticks: the work of a stage for every scheduler, in threads apart from those of Celery.

A tick only starts the work. A slow server therefore delays no message, not even in a worker with one thread, and
neither stages nor schedulers wait for one another. A process that took a tick makes the next ones by itself
(`workers.stints`).
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from celery import Task
from celery.signals import worker_shutdown, worker_shutting_down

from triggers.base.logs import logger
from triggers.clearml_api.calls import caused_by
from triggers.context import Context
from triggers.ledger.deployment.schedulers import Scheduler
from triggers.ledger.deployment.ticking import Ticking
from triggers.stages import table
from workers.app import app
from workers.runtime import runtime
from workers.stints import Stint, paces_of

log = logger(__name__)

#: The work of a stage for a scheduler at one tick; returns what it found, or "".
Work = Callable[[Context, Scheduler], str]
#: Selects the schedulers for which a tick may find work.
Choice = Callable[[Mapping[str, Scheduler]], Iterable[str]]

#: Schedulers that one stage of a process works for at the same time.
AT_ONCE: Final = 16

#: Work that has been running for this long hangs, seconds: another thread begins it anew, once its lease is free.
HANGS_SECONDS: Final = 600.0


class StageTicks:
    """The work of one stage, for each scheduler by one thread at a time. Threads are kept, and their connections."""

    def __init__(self, stage: str, work: Work, at_once: int = AT_ONCE, choose: Choice = list) -> None:
        self.stage, self._work, self._choose = stage, work, choose
        self._threads = ThreadPoolExecutor(at_once, thread_name_prefix=stage)
        #: scheduler → when it was begun
        self._under_way: dict[str, float] = {}
        self._said: dict[str, str] = {}
        self._lock = threading.Lock()

    def begin(self, served: Mapping[str, Scheduler]) -> str:
        """Begin the work for those schedulers for which none is under way; says what was done since the last time."""
        with self._lock:
            said, self._said = self._said, {}
        self.start(served)
        return "; ".join(f"{runtime().name_of(id_)}: {found}" for id_, found in said.items())

    def start(self, served: Mapping[str, Scheduler]) -> None:
        """Begin the work for those schedulers for which none is under way."""
        chosen, now = list(self._choose(served)), time.monotonic()
        with self._lock:
            fresh = [id_ for id_ in chosen if now - self._under_way.get(id_, -math.inf) > HANGS_SECONDS]
            self._under_way.update(dict.fromkeys(fresh, now))
        for id_ in fresh:
            try:
                self._threads.submit(self._run, id_, served[id_], now)
            except RuntimeError:  # this process ends: the next one does it
                self._is_done(id_, now, "")

    def busy_seconds(self, now: float) -> float:
        """How long the oldest work that is under way has been so."""
        with self._lock:
            return now - min(self._under_way.values(), default=now)

    @property
    def has_news(self) -> bool:
        """Whether `begin` would say something."""
        with self._lock:
            return bool(self._said)

    def _run(self, id_: str, scheduler: Scheduler, began: float) -> None:
        found = None
        try:
            with caused_by(table.cause_of(table.stage(self.stage).task)):
                found = runtime().run(id_, lambda ctx: self._work(ctx, scheduler), scheduler)
        except Exception:  # nobody looks at what becomes of a thread's work
            log.exception("%s failed", self.stage)
        finally:
            self._is_done(id_, began, found or "")

    def _is_done(self, id_: str, began: float, found: str) -> None:
        with self._lock:
            if self._under_way.get(id_) == began:
                del self._under_way[id_]
            if found:
                self._said[id_] = found

    def finish(self) -> None:
        """Begin nothing more. The interpreter waits for what runs before it ends."""
        self._threads.shutdown(wait=False, cancel_futures=True)


#: Of this process, by stage.
TICKS: Final[dict[str, StageTicks]] = {}


def ticked(stage: str, work: Work, at_once: int = AT_ONCE, choose: Choice = list) -> Any:
    """Make the Celery task of a stage that ticks.

    Args:
        stage: its name in the table.
        work: what it does for one scheduler. One tick too many does nothing.
        at_once: for how many schedulers at the same time.
        choose: which of them it may find work for.
    """
    TICKS[stage] = StageTicks(stage, work, at_once, choose)

    def tick(task: Task, *also: str) -> str:
        """Begin a round of the stage, and of those whose tick came in the same message; says what ended since."""
        served, stages = runtime().served(), (stage, *also)
        said = "; ".join(filter(None, (TICKS[name].begin(served) for name in stages)))
        if stint := _stint((task.request.delivery_info or {}).get("routing_key")):
            stint.took(stages)
        return said

    return app.task(name=table.stage(stage).task, bind=True)(tick)


#: Of this process, by queue.
_stints: Final[dict[str, Stint]] = {}
_lock: Final = threading.Lock()


def _stint(queue: object) -> Stint | None:
    """That of a queue, None where a task was called otherwise than by a message."""
    if not isinstance(queue, str) or queue not in table.queues():
        return None
    with _lock:
        if queue not in _stints:
            paces = paces_of(queue, runtime().settings)
            _stints[queue] = Stint(queue, paces, TICKS, _served_whole, Ticking(runtime().client))
        return _stints[queue]


def _served_whole() -> Mapping[str, Scheduler] | None:
    """The schedulers, None where this process leaves some of them alone: another one may serve these."""
    served = runtime().served()
    return None if runtime().left_alone else served


@worker_shutting_down.connect  # type: ignore[untyped-decorator]
def _end_stints(**_: Any) -> None:
    for stint in list(_stints.values()):
        stint.finish()


@worker_shutdown.connect  # type: ignore[untyped-decorator]
def _finish(**_: Any) -> None:
    _end_stints()
    for one in TICKS.values():
        one.finish()
