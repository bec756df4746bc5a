"""Ticks: what a stage does for every scheduler, in threads that are none of Celery's.

A tick only begins it. So no message waits for a slow server, not even in a worker with one thread; no stage holds up
another one, and no scheduler waits for what the server answers another one.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from celery.signals import worker_shutdown

from triggers.base.logs import logger
from triggers.clearml_api.calls import caused_by
from triggers.context import Context
from triggers.ledger.schedulers import Scheduler
from triggers.stages import table
from workers.app import app
from workers.runtime import runtime

log = logger(__name__)

#: What a stage does for a scheduler when it ticks; says what it found, "" where that is nothing.
Work = Callable[[Context, Scheduler], str]
#: Those of the schedulers that a tick may find work for.
Choice = Callable[[Mapping[str, Scheduler]], Iterable[str]]

#: Schedulers that one stage of a process works for at the same time.
AT_ONCE: Final = 16

#: Work that has gone on for so long hangs: another thread begins it, if its lease is free by then; seconds.
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
        chosen, now = list(self._choose(served)), time.monotonic()
        with self._lock:
            fresh = [id_ for id_ in chosen if now - self._under_way.get(id_, -math.inf) > HANGS_SECONDS]
            self._under_way.update(dict.fromkeys(fresh, now))
            said, self._said = self._said, {}
        for id_ in fresh:
            try:
                self._threads.submit(self._run, id_, served[id_], now)
            except RuntimeError:  # this process ends: the next one does it
                self._is_done(id_, now, "")
        return "; ".join(f"{runtime().name_of(id_)}: {found}" for id_, found in said.items())

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

    def tick(*also: str) -> str:
        """Begin a round of the stage, and of those whose tick came in the same message; says what ended since."""
        served = runtime().served()
        return "; ".join(filter(None, (TICKS[name].begin(served) for name in (stage, *also))))

    return app.task(name=table.stage(stage).task)(tick)


@worker_shutdown.connect  # type: ignore[untyped-decorator]
def _finish(**_: Any) -> None:
    for one in TICKS.values():
        one.finish()
