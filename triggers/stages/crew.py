"""A crew: threads of one process that wait for receivers, so that no thread of Celery has to."""

from __future__ import annotations

import contextvars
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Final

from triggers.base.logs import logger

log = logger(__name__)

#: Receivers that one process waits for at the same time at most, twice where two requests to one are under way.
SIZE: Final = 64


class Crew:
    """Starts a thread for each job as long as there are fewer than `size`.

    Threads are daemons: a process ends without them, and leases tell others what was cut off.
    """

    def __init__(self, size: int = SIZE) -> None:
        self._free = threading.BoundedSemaphore(size)
        self._running: set[threading.Thread] = set()
        self._lock = threading.Lock()
        self._ending = threading.Event()

    @property
    def ending(self) -> bool:
        """Whether jobs should take nothing new."""
        return self._ending.is_set()

    def begin(self, name: str, job: Callable[[], None]) -> bool:
        """Run a job in a thread of its own; False when all are busy or the crew ends."""
        if self.ending or not self._free.acquire(blocking=False):
            return False
        context = contextvars.copy_context()  # log lines say which scheduler they are about
        thread = threading.Thread(target=self._run, args=(context, job), name=name, daemon=True)
        with self._lock:
            self._running.add(thread)
        thread.start()
        return True

    def _run(self, context: contextvars.Context, job: Callable[[], None]) -> None:
        try:
            context.run(job)
        except Exception:  # a job says itself what is expected to go wrong
            log.exception("%s ended", threading.current_thread().name)
        finally:
            with self._lock:
                self._running.discard(threading.current_thread())
            self._free.release()

    def wait(self, seconds: float | None = None) -> bool:
        """Wait until no job runs; False when one still does after so long."""
        deadline = None if seconds is None else time.monotonic() + seconds
        while True:
            with self._lock:
                running = next(iter(self._running), None)
            if running is None:
                return True
            running.join(None if deadline is None else max(0.0, deadline - time.monotonic()))
            if running.is_alive():
                return False

    def finish(self, seconds: float) -> bool:
        """Let no job begin any more, and wait for those that run."""
        self._ending.set()
        return self.wait(seconds)

    def __enter__(self) -> Crew:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.wait()
