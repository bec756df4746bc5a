"""What a worker process keeps between Celery tasks: a Redis client, an API client, its schedulers."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from functools import lru_cache

import redis
from celery import Celery
from kombu.exceptions import OperationalError

from triggers.clearml_api import Api, Credentials
from triggers.errors import EpochChanged, Fenced, StoreUnavailable, Transient
from triggers.ledger import Store, connect, open_ledger, schedulers
from triggers.ledger.schedulers import Scheduler
from triggers.settings import Settings, settings
from triggers.stages import Context
from workers.app import app, broker_url

log = logging.getLogger(__name__)


class CeleryHints:
    """Passes hints on as Celery messages. One that cannot be sent is given again by `reconcile`."""

    def __init__(self, celery: Celery) -> None:
        self.celery = celery

    def match(self, scheduler: str, partition: int) -> None:
        self._send("triggers.match", scheduler, partition)

    def dispatch(self, scheduler: str) -> None:
        self._send("triggers.dispatch", scheduler)

    def _send(self, task: str, *args: str | int) -> None:
        try:
            self.celery.send_task(task, args=args)
        except (OperationalError, OSError, redis.RedisError) as failure:
            log.warning("the hint %s%s was not sent: %s", task, args, failure)


class Runtime:
    """Threads of one worker process share it."""

    def __init__(self, celery: Celery, of: Settings) -> None:
        url = broker_url(of.redis_url)
        self.settings, self.client, self.hints = of, connect(url), CeleryHints(celery)
        self.credentials = Credentials.resolve()
        self.api = Api(self.credentials, timeout_seconds=of.request_timeout_seconds)
        self._contexts: dict[str, Context] = {}
        self._lock = threading.Lock()

    def schedulers(self) -> dict[str, Scheduler]:
        """The schedulers on this Redis whose ClearML server is the one that this process knows."""
        try:
            found = schedulers.all_of(self.client)
        except redis.RedisError as failure:
            raise StoreUnavailable(f"Redis gave no answer: {failure}") from failure
        return {id_: one for id_, one in found.items() if one.host == self.credentials.host}

    def context(self, scheduler_id: str) -> Context:
        """The context of one scheduler, its epoch adopted on first use."""
        with self._lock:
            if scheduler_id not in self._contexts:
                ledger = open_ledger(Store(self.client), scheduler_id, self.settings)
                record = self.schedulers().get(scheduler_id)
                self._contexts[scheduler_id] = Context(
                    ledger=ledger,
                    api=self.api,
                    settings=self.settings,
                    hints=self.hints,
                    epoch=ledger.adopt_epoch(),
                    service_task=record.service_task if record else "",
                )
            return self._contexts[scheduler_id]

    def run(self, scheduler_id: str, stage: Callable[[Context], object]) -> None:
        """Run one stage; failures that pass by themselves end it with one line in the log."""
        try:
            stage(self.context(scheduler_id))
        except EpochChanged as change:
            log.warning("%s; beginning a new epoch", change)
            with self._lock:
                self._contexts.pop(scheduler_id, None)
        except (Transient, Fenced, redis.ConnectionError, redis.TimeoutError) as failure:
            log.warning("%s", failure)


@lru_cache(maxsize=1)
def runtime() -> Runtime:
    """The runtime of this process; made on first use."""
    return Runtime(app, settings())
