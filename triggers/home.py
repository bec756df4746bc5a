"""A scheduler at home: the process that declared it registers its triggers and keeps local mode running."""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from types import FrameType
from typing import Any

import redis

from triggers.checks import warn_of_missing
from triggers.clearml_api import Api, Credentials, identity, launches
from triggers.errors import EpochChanged, StoreUnavailable, Transient
from triggers.functions import Function
from triggers.ledger import Ledger, Store, connect, open_ledger, schedulers
from triggers.ledger.registry import Snapshot
from triggers.ledger.schedulers import Scheduler
from triggers.local.redis_server import PrivateRedis
from triggers.local.supervisor import Supervisor
from triggers.marks import scheduler_mark
from triggers.service_task import ServiceTask, server_now_ms
from triggers.settings import Settings
from triggers.spec import Trigger
from triggers.stages import Context
from triggers.stages.call import call_one

log = logging.getLogger(__name__)

#: Functions that run at the same time in this process.
FUNCTION_THREADS = 8

#: Pause between two looks for firings whose functions this process has to call, seconds.
CALL_LOOK_SECONDS = 0.25


class Interrupted(SystemExit, KeyboardInterrupt):
    """Ctrl-C, after everything was stopped: a `KeyboardInterrupt` for a script that catches it.

    For one that does not, the end of the process without a traceback.
    """


def _end_process(number: int) -> None:
    """End as without us: by KeyboardInterrupt, the SDK's or the user's handler, after everything was stopped."""
    try:
        signal.raise_signal(number)
        if number == signal.SIGTERM:
            # still here: the SDK's handler of SIGTERM does nothing where the user has none, while that of
            # SIGINT lets the service task end as stopped
            signal.raise_signal(signal.SIGINT)
    except KeyboardInterrupt:
        raise Interrupted(128 + number) from None


class Home:
    """Registers triggers and, unless a Redis is given by URL, runs everything that serves them."""

    def __init__(self, service_task: ServiceTask, poll_seconds: float, settings: Settings) -> None:
        """Find out who the scheduler is; starts nothing.

        Raises:
            Usage: there are no ClearML credentials.
            ServerUnavailable, Refused: the ClearML server cannot be asked.
        """
        self.settings, self.service_task = settings, service_task
        self.credentials = Credentials.resolve()
        self.api = Api(self.credentials, timeout_seconds=settings.request_timeout_seconds)
        self.scheduler = Scheduler(
            host=self.credentials.host,
            workspace=identity(self.api),
            project=service_task.project,
            name=service_task.name,
            poll_seconds=poll_seconds,
            service_task=service_task.id,
        )
        self._redis: PrivateRedis | None = None
        self._supervisor: Supervisor | None = None
        self._stopping = threading.Event()
        self._sigterm_before: Any = None

    def __enter__(self) -> Home:
        """Until `run` takes the signals, SIGTERM ends the process at once; the SDK would swallow it."""
        if threading.current_thread() is threading.main_thread():
            self._sigterm_before = signal.signal(signal.SIGTERM, self._terminate)
        return self

    def __exit__(self, *exc: object) -> None:
        self._give_sigterm_back()
        self.close()

    def _terminate(self, number: int, _: FrameType | None) -> None:
        self._give_sigterm_back()
        _end_process(number)

    def _give_sigterm_back(self) -> None:
        if self._sigterm_before is not None:
            signal.signal(signal.SIGTERM, self._sigterm_before)
            self._sigterm_before = None

    def connect(self) -> Ledger:
        """The scheduler's ledger, on the Redis of the settings or on a private one, which is started."""
        url = self.settings.redis_url
        if url is None:
            self._redis = PrivateRedis(
                self.settings.state_folder.expanduser() / self.scheduler.id, server=self.settings.redis_server
            )
            url = self._redis.start()
        return open_ledger(Store(connect(url)), self.scheduler.id, self.settings)

    def register(self, ledger: Ledger, triggers: Sequence[Trigger]) -> Snapshot:
        """Make `triggers` the whole of what the script declares. Idempotent."""
        warn_of_missing(self.api, triggers)
        ledger.adopt_epoch(nothing_launched_before=self._is_new(ledger))
        schedulers.put(ledger.store.client, self.scheduler)
        now_ms = server_now_ms(self.api, self.service_task.id)
        return ledger.registry.declare(triggers, origin="script", server_now_ms=now_ms)

    def _is_new(self, ledger: Ledger) -> bool:
        """Whether nothing was ever launched: asked only of a Redis that knows nothing of the scheduler."""
        if ledger.store.client.exists(ledger.keys.epoch):
            return False
        return not launches.find_launches(self.api, [scheduler_mark(self.scheduler.id)])

    def run(self, ledger: Ledger, functions: Mapping[str, Function]) -> None:
        """Serve until `stop`, SIGINT or SIGTERM; then end every process started here, within 10 s."""
        context = self._context(ledger)
        calls = ThreadPoolExecutor(FUNCTION_THREADS, thread_name_prefix="trigger-function")
        for _ in range(FUNCTION_THREADS if functions else 0):
            calls.submit(self._call_functions, context, functions)
        received: list[int] = []
        with _signals(self, received):
            try:
                self._serve()
            finally:
                self.stop()
                calls.shutdown(wait=False, cancel_futures=True)
                self.close()
        if received:
            _end_process(received[0])

    def _serve(self) -> None:
        if self._redis is None:
            print(
                "triggers: registered; the stages run wherever `celery -A workers worker` and "
                "`celery -A workers beat` are started with this TRIGGERS_REDIS_URL",
                flush=True,
            )
            self._stopping.wait()
            return
        self._supervisor = Supervisor(redis=self._redis, credentials=self.credentials.environment())
        if not self._stopping.is_set():
            self._supervisor.run()

    def stop(self) -> None:
        """Make `run` return. Safe in a signal handler and from any thread."""
        self._stopping.set()
        if self._supervisor is not None:
            self._supervisor.request_stop()

    def close(self) -> None:
        """End the private Redis, if one was started here."""
        if self._redis is not None:
            self._redis.stop()

    def _context(self, ledger: Ledger) -> Context:
        return Context(
            ledger=ledger,
            api=self.api,
            settings=self.settings,
            hints=_NoHints(),
            epoch=ledger.adopt_epoch(),
            service_task=self.service_task.id,
        )

    def _call_functions(self, context: Context, functions: Mapping[str, Function]) -> None:
        while not self._stopping.is_set():
            try:
                called = call_one(context, functions)
            except EpochChanged:
                context.begin_epoch()
            except (Transient, redis.RedisError, StoreUnavailable) as failure:
                log.warning("functions wait: %s", failure)
                self._stopping.wait(1.0)
            else:
                if not called:
                    self._stopping.wait(CALL_LOOK_SECONDS)


class _NoHints:
    """This process gives no hints: functions end here, and `reconcile` sees the rest."""

    def match(self, scheduler: str, partition: int) -> None:
        """Nothing to say."""

    def dispatch(self, scheduler: str) -> None:
        """Nothing to say."""


class _signals:  # noqa: N801  a context manager, read like a function
    """SIGINT and SIGTERM stop the home while the body runs; outside the main thread they are left alone."""

    def __init__(self, home: Home, received: list[int]) -> None:
        self.home, self.received = home, received
        self.previous: dict[int, Any] = {}

    def __enter__(self) -> None:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self.previous[number] = signal.signal(number, self._stop)

    def _stop(self, number: int, _: FrameType | None) -> None:
        self.received.append(number)
        self.home.stop()

    def __exit__(self, *exc: object) -> None:
        for number, handler in self.previous.items():
            signal.signal(number, handler)
