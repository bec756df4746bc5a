"""A worker process without Celery: the same stages in a loop. Light enough to run many of them."""

from __future__ import annotations

import os
import time

import redis

from tests.crash.worker_main import prepare
from triggers.base.errors import EpochChanged, Fenced, Transient
from triggers.base.settings import Settings, settings
from triggers.clearml_api import Api, Credentials
from triggers.context import Context
from triggers.ledger import Store, connect, open_ledger
from triggers.stages.dispatch import dispatch
from triggers.stages.match import match
from triggers.stages.poll import poll
from triggers.stages.reconcile import reconcile

#: pause between two rounds
ROUND_SECONDS = 0.05


class _NoHints:
    """Every round looks at everything."""

    def send(self, stage: str, scheduler: str, *where: int) -> None:
        pass

    def message(self, stage: str, scheduler: str) -> None: ...

    def waiting(self, stage: str, first: int | None = None) -> set[str]:
        return set()


def _context(of: Settings, api: Api) -> Context:
    ledger = open_ledger(Store(connect(of.redis_url or "")), os.environ["CRASH_TEST_SCHEDULER"], of)
    return Context(ledger=ledger, api=api, settings=of, hints=_NoHints(), epoch=ledger.adopt_epoch())


def _round(context: Context) -> None:
    poll(context, pace_seconds=1.0)
    match(context)
    reconcile(context)
    dispatch(context)


def main() -> int:
    """Work until killed."""
    prepare()
    of = settings()
    api = Api(Credentials.resolve(), timeout_seconds=of.request_timeout_seconds)
    context = None
    while True:
        try:
            context = context or _context(of, api)
            _round(context)
        except EpochChanged:
            context = None
        except (Transient, Fenced, redis.RedisError) as failure:
            print(failure, flush=True)
        time.sleep(ROUND_SECONDS)
