"""What a worker process keeps between Celery tasks: a Redis client, an API client, its schedulers."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import lru_cache, partial
from typing import Any, TypeVar

import redis
from celery import Celery
from kombu.exceptions import OperationalError

from triggers.actions.table import ACTIONS
from triggers.base import redis_refusals
from triggers.base.broker import broker_prefix
from triggers.base.errors import EpochChanged, Fenced, ServerBusy, StoreUnavailable, Transient
from triggers.base.escaping import one_line
from triggers.base.logs import Seldom, about, logger
from triggers.base.messages import hinted_scheduler
from triggers.base.settings import Settings, settings
from triggers.context import Context
from triggers.context.api_account import ApiAccount
from triggers.ledger import Store, assembly, connect, open_ledger
from triggers.ledger.api_budget.api_account import CallBook
from triggers.ledger.deployment import schedulers
from triggers.ledger.deployment.schedulers import Scheduler
from triggers.stages import table
from workers import failover, reserved
from workers.app import app, redis_address
from workers.at_hand import Records, Refresher
from workers.hint_messages import HintMessages
from workers.identity import Identity

log = logger(__name__)

T = TypeVar("T")

# this process runs for long: what it needs later is of the release that it began with
assembly.import_parts()
list(ACTIONS.values())


class CeleryHints:
    """Passes hints on as Celery messages. One that cannot be sent is given again by `reconcile`."""

    def __init__(self, celery: Celery, client: redis.Redis, named: Callable[[str], str]) -> None:
        self.celery, self.client, self.named, self.messages = celery, client, named, HintMessages()
        self._seldom = Seldom()

    def send(self, stage: str, scheduler: str, *where: int) -> None:
        """Send a message to the stage's Celery task, which Flower shows with names instead of ids.

        Raises:
            LookupError, ValueError: the table has no such stage, or its hints name something else.
        """
        row, args = table.stage(stage), (scheduler, *where)
        try:
            self._publish(row, scheduler, *where)
        except (OperationalError, OSError, redis.RedisError) as failure:
            suffix = self._seldom.suffix(redis_refusals.code_of(failure.__cause__ or failure) or type(failure).__name__)
            if suffix is not None:
                log.warning("could not send the hint %s%s: %s%s", row.task, args, failure, suffix)
            failover.look_for_primary(self.celery, failure)

    def message(self, stage: str, scheduler: str) -> tuple[str, str]:
        """The same message, not sent: the key of its queue in Redis, and how it lies there.

        Raises:
            LookupError, ValueError: as `send`.
        """
        return self.messages.made(lambda producer: self._publish(table.stage(stage), scheduler, producer=producer))

    def _publish(self, row: table.Stage, scheduler: str, *where: int, **options: Any) -> None:
        if row.hint is None:
            raise LookupError(f"stage {row.name!r} takes no hints")
        named = [f"{name} {one}" for name, one in zip(row.hint, where, strict=True)]
        shown = one_line(f"({', '.join([self.named(scheduler), *named])})")
        self.celery.send_task(row.task, args=(scheduler, *where), argsrepr=shown, kwargsrepr="{}", **options)

    def waiting(self, stage: str, first: int | None = None) -> set[str]:
        """The schedulers whose hints lie in the queue of a stage, or were taken from it and wait for a thread here.

        Where Redis cannot be asked, only the latter.
        """
        row = table.stage(stage)
        try:
            messages: Any = self.client.lrange(broker_prefix() + row.queues[0], -first if first else 0, -1)
        except redis.RedisError as failure:
            redis_refusals.look_for_primary(self.client, failure)
            messages = []
        queued = {scheduler for message in messages if (scheduler := hinted_scheduler(message, row.task))}
        return queued | reserved.hinted(row.task)


class Runtime:
    """Threads of one worker process share it."""

    def __init__(self, celery: Celery, of: Settings) -> None:
        redis_address(of.redis_url)  # there has to be one
        self.settings, self.client = of, connect(of.redis_url or "")
        self.hints = CeleryHints(celery, self.client, self.name_of)
        self.calls = CallBook(self.client)
        self.account = ApiAccount(of.api_calls_per_month)
        limit_calls = partial(self.account.limit_calls, self.calls)
        self.identity = Identity(of.request_timeout_seconds, prepare=limit_calls)
        self.records = Records(self.client, of)
        self._seldom = Seldom()
        self._names: dict[str, str] = {}
        self.left_alone: dict[str, str] = {}
        self._contexts: dict[str, Context] = {}
        self._epochs: dict[str, int] = {}
        self._stores: dict[str, Store] = {}  # they remember what they have seen
        self._lock = threading.Lock()

    def schedulers(self) -> dict[str, Scheduler]:
        """The schedulers on this Redis that this process can read and whose workspace its credentials are of."""
        try:
            found, unreadable = schedulers.read_all(self.client, self.settings)
        except redis.RedisError as failure:
            redis_refusals.look_for_primary(self.client, failure)
            raise StoreUnavailable(redis_refusals.said(failure)) from failure
        reasons = {id_: self.identity.why_not(one) for id_, one in found.items()}
        served = {id_: one for id_, one in found.items() if not reasons[id_]}
        reasons |= {id_: str(fault) for id_, fault in unreadable.items()}
        self._say_why({id_: reason for id_, reason in reasons.items() if reason})
        self._names = {id_: f"{one.project}/{one.name}" for id_, one in served.items()}
        return served

    def scheduler(self, scheduler_id: str) -> Scheduler | None:
        """One of `schedulers`, as it was a moment ago; None if it is not one of them."""
        try:
            one, fault = self.records.of(scheduler_id)
        except redis.RedisError as failure:
            redis_refusals.look_for_primary(self.client, failure)
            raise StoreUnavailable(redis_refusals.said(failure)) from failure
        reason = self.identity.why_not(one) if one else str(fault or "")
        if reason:
            self._say_why({**self.left_alone, scheduler_id: reason})
        if one is None or reason:
            return None
        self._names = {**self._names, scheduler_id: f"{one.project}/{one.name}"}
        return one

    def served(self) -> dict[str, Scheduler]:
        """The same, none while Redis cannot be used: with a line in the log."""
        try:
            return self.schedulers()
        except StoreUnavailable as failure:
            self._log(failure)
            return {}

    def known(self, scheduler_id: str) -> Context | None:
        """The context of a scheduler that a stage of this process has had, None if none has."""
        return self._contexts.get(scheduler_id)

    def registry_versions(self, scheduler_ids: Iterable[str]) -> dict[str, int]:
        """The versions of the schedulers' registries, by one trip; none while Redis cannot be used."""
        try:
            return schedulers.registry_versions(self.client, scheduler_ids)
        except redis.RedisError as failure:  # the stages say so
            redis_refusals.look_for_primary(self.client, failure)
            return {}

    def _say_why(self, reasons: dict[str, str]) -> None:
        """Log once for each scheduler why it is left alone."""
        known, self.left_alone = self.left_alone, reasons
        for id_, reason in reasons.items():
            if known.get(id_) != reason:
                log.warning("%s", reason)

    def name_of(self, scheduler_id: str) -> str:
        """Project and name of a scheduler, for people; its id while they are not known."""
        if scheduler_id not in self._names:
            with suppress(StoreUnavailable):
                self.scheduler(scheduler_id)
        return self._names.get(scheduler_id, scheduler_id)

    def context(self, scheduler_id: str, record: Scheduler) -> Context:
        """The context of one scheduler, its epoch adopted on first use."""
        with self._lock:
            api = self.identity.api
            if api is None:
                raise StoreUnavailable("there are no ClearML credentials")  # `schedulers` has just logged why
            known = self._contexts.get(scheduler_id)
            if known is None or known.api is not api:
                store = self._stores.setdefault(scheduler_id, Store(self.client))
                ledger = open_ledger(store, scheduler_id, self.settings)
                adopted = ledger.adopt_epoch(at_least=self._epochs.get(scheduler_id, 0))
                self._epochs[scheduler_id] = adopted.number
                self._contexts[scheduler_id] = Context(
                    ledger=ledger,
                    api=api,
                    settings=self.settings,
                    hints=self.hints,
                    epoch=adopted,
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
                record = record or self.scheduler(scheduler_id)
                if record is None:
                    return None
                context = self.context(scheduler_id, record)
                self.account.settle(self.calls, context.api)  # before: another process may have been asked for a pause
                try:
                    return stage(context)
                finally:
                    self.account.settle(self.calls, context.api, force=self.account.has_calls)
            except EpochChanged as change:
                log.warning("%s; beginning a new epoch", change)
                with self._lock:
                    self._contexts.pop(scheduler_id, None)
            except Fenced as loss:
                log.warning("%s", loss)
            except Transient as failure:
                self._log(failure)
            except Exception as failure:
                if not redis_refusals.code_of(failure):
                    log.exception("stage failed")
                else:
                    redis_refusals.look_for_primary(self.client, failure)
                    self._log(failure)
            return None

    def keep_at_hand(self) -> None:
        """Let a thread ask for what stages need to know before they begin, so that they need not."""
        Refresher(self.records.refresh, self._settle).begin()

    def _settle(self) -> None:
        if (api := self.identity.api) is not None:
            self.account.settle(self.calls, api, force=True)

    def _log(self, failure: Exception) -> None:
        """Log what makes every stage wait, once a minute while it lasts: Redis or the ClearML server."""
        cause = failure.__cause__ or failure
        code = redis_refusals.code_of(cause)
        if code:
            log.warning("%s", cause)  # in words, and not too often: `calm`
            return
        if isinstance(failure, ServerBusy):
            return  # the account of calls says so, once for each pause
        suffix = self._seldom.suffix(str(failure))
        if suffix is not None:
            log.warning("%s%s", failure, suffix)


def runtime() -> Runtime:
    """The runtime of this process; made on first use, by one of the threads that begin at the same time."""
    with _making:
        return _made()


def runtime_if_made() -> Runtime | None:
    """The same, None before the first use. Waits for no other thread."""
    return _made() if _made.cache_info().currsize else None


@lru_cache(maxsize=1)
def _made() -> Runtime:
    made = Runtime(app, settings())
    made.keep_at_hand()
    return made


_making = threading.Lock()
