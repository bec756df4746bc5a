"""What a worker process keeps between Celery tasks: a Redis client, an API client, its schedulers."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache
from typing import TypeVar

import redis
from celery import Celery
from kombu.exceptions import OperationalError

from triggers.clearml_api import Credentials
from triggers.errors import EpochChanged, Fenced, StoreUnavailable, Transient
from triggers.escaping import one_line
from triggers.ledger import Store, connect, open_ledger, refusals, schedulers
from triggers.ledger.schedulers import Scheduler
from triggers.logs import about, logger
from triggers.settings import Settings, settings
from triggers.stages import Context
from workers import failover
from workers.app import app, redis_address
from workers.measured import MeasuredApi

log = logger(__name__)

T = TypeVar("T")


class CeleryHints:
    """Passes hints on as Celery messages. One that cannot be sent is given again by `reconcile`."""

    def __init__(self, celery: Celery, named: Callable[[str], str]) -> None:
        self.celery, self.named = celery, named

    def match(self, scheduler: str, partition: int) -> None:
        self._send("triggers.match", f"{self.named(scheduler)}, partition {partition}", scheduler, partition)

    def dispatch(self, scheduler: str) -> None:
        self._send("triggers.dispatch", self.named(scheduler), scheduler)

    def _send(self, task: str, shown: str, *args: str | int) -> None:
        try:
            self.celery.send_task(task, args=args, argsrepr=one_line(f"({shown})"), kwargsrepr="{}")
        except (OperationalError, OSError, redis.RedisError) as failure:
            log.warning("the hint %s%s was not sent: %s", task, args, failure)
            failover.look_for_primary(self.celery, failure)


class Runtime:
    """Threads of one worker process share it."""

    def __init__(self, celery: Celery, of: Settings) -> None:
        redis_address(of.redis_url)  # there has to be one
        self.settings, self.client = of, connect(of.redis_url or "")
        self.hints = CeleryHints(celery, self.name_of)
        self.credentials = Credentials.resolve()
        self.api = MeasuredApi(self.credentials, timeout_seconds=of.request_timeout_seconds)
        self._names: dict[str, str] = {}
        self._left_alone: dict[str, str] = {}
        self._contexts: dict[str, Context] = {}
        self._lock = threading.Lock()

    def schedulers(self) -> dict[str, Scheduler]:
        """The schedulers on this Redis that this process can read and whose ClearML server is the one it knows."""
        try:
            found, unreadable = schedulers.read_all(self.client)
        except redis.RedisError as failure:
            raise StoreUnavailable(f"Redis gave no answer: {failure}") from failure
        served = {id_: one for id_, one in found.items() if one.host == self.credentials.host}
        reasons = {id_: str(fault) for id_, fault in unreadable.items()}
        reasons |= {
            id_: f"the scheduler {one.project}/{one.name} calls its ClearML server {one.host}, this worker's is "
            f"{self.credentials.host}"
            for id_, one in found.items()
            if id_ not in served
        }
        self._say_why(reasons)
        self._names = {id_: f"{one.project}/{one.name}" for id_, one in served.items()}
        return served

    def _say_why(self, reasons: dict[str, str]) -> None:
        """Log once for each scheduler why it is left alone."""
        known, self._left_alone = self._left_alone, reasons
        for id_, reason in reasons.items():
            if known.get(id_) != reason:
                log.warning("a scheduler is not served: %s", reason)

    def name_of(self, scheduler_id: str) -> str:
        """Project and name of a scheduler, for people; its id while they are not known."""
        if scheduler_id not in self._names:
            with suppress(StoreUnavailable):
                self.schedulers()
        return self._names.get(scheduler_id, scheduler_id)

    def context(self, scheduler_id: str, record: Scheduler) -> Context:
        """The context of one scheduler, its epoch adopted on first use."""
        with self._lock:
            if scheduler_id not in self._contexts:
                ledger = open_ledger(Store(self.client), scheduler_id, self.settings)
                self._contexts[scheduler_id] = Context(
                    ledger=ledger,
                    api=self.api,
                    settings=self.settings,
                    hints=self.hints,
                    epoch=ledger.adopt_epoch(),
                    service_task=record.service_task,
                    shadow=record.shadow,
                )
            return self._contexts[scheduler_id]

    def run(self, scheduler_id: str, stage: Callable[[Context], T], record: Scheduler | None = None) -> T | None:
        """Run one stage; whatever goes wrong ends it with a line in the log, and keeps no other scheduler waiting.

        A scheduler that is not, or not any more, one of `schedulers` is left alone: a hint may name anything.

        Args:
            scheduler_id: which.
            stage: what to run.
            record: of the scheduler, where the caller has just read it.
        """
        with about(scheduler=self.name_of(scheduler_id)):
            try:
                record = record or self.schedulers().get(scheduler_id)
                if record is None:
                    return None
                result = stage(self.context(scheduler_id, record))
                self.api.add_up(self.client)
                return result
            except EpochChanged as change:
                log.warning("%s; beginning a new epoch", change)
                with self._lock:
                    self._contexts.pop(scheduler_id, None)
            except (Transient, Fenced) as failure:
                log.warning("%s", failure)
            except Exception as failure:
                if not refusals.code_of(failure):
                    log.exception("a stage broke off")
                else:
                    refusals.look_for_primary(self.client, failure)
                    log.warning("Redis cannot be used now: %s", failure)
            return None


@lru_cache(maxsize=1)
def runtime() -> Runtime:
    """The runtime of this process; made on first use."""
    return Runtime(app, settings())
