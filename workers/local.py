"""Local mode's one child: beat and all workers as threads of this process. `triggers.local` starts it."""

from __future__ import annotations

import os
import signal
import threading
import warnings
from types import FrameType

from celery.apps.worker import Worker
from celery.beat import Service
from celery.exceptions import SecurityWarning
from celery.worker import state

from triggers.base import logs
from triggers.base.logs import logger
from triggers.base.settings import settings
from triggers.stages import table
from workers.app import app
from workers.calm import Calm
from workers.schedule import Schedule

log = logger(__name__)


class _QuietWorker(Worker):  # type: ignore[misc]
    """Celery's worker program for a process without a terminal: SIGTERM ends it, and nothing is printed."""

    def install_platform_tweaks(self, worker: Worker) -> None:  # noqa: ARG002
        """Take SIGTERM only; the others are for people who run workers by hand."""
        signal.signal(signal.SIGTERM, _stop)


def _stop(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
    state.should_stop = 0


def main() -> int:
    """Run until SIGTERM; the exit code of the worker."""
    logs.to_standard_error("%(asctime)s %(name)s %(levelname)s %(message)s", Calm())
    # root is the user's own choice here, and nothing is unpickled
    warnings.filterwarnings("ignore", category=SecurityWarning)
    # one process needs no lock against other beats, and nothing in Redis to start from
    beat = Service(app, max_interval=1, scheduler_cls=Schedule)
    threading.Thread(target=_tick, args=(beat,), name="beat", daemon=True).start()
    worker = _QuietWorker(
        app=app,
        pool="threads",
        concurrency=settings().concurrency,
        queues=list(table.queues()),
        quiet=True,
        without_gossip=True,
        without_mingle=True,
        without_heartbeat=True,
        loglevel="WARNING",
    )
    worker.start()
    beat.stop()
    return int(worker.exitcode or 0)


def _tick(beat: Service) -> None:
    try:
        beat.start(embedded_process=True)
    except Exception:  # the schedule is all this process lives for: end it, the supervisor starts it again
        log.exception("the schedule stopped")
        os._exit(1)
