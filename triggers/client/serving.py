"""The serving process: it registers the triggers that its script declared and keeps local mode running."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from functools import partial
from typing import Final

import redis

from triggers.actions.functions import Function
from triggers.base import ending
from triggers.base.errors import Fenced, TriggersError
from triggers.base.logs import logger
from triggers.base.retry import patiently
from triggers.base.settings import Settings
from triggers.clearml_api import Api, Credentials, does_answer, identity, launches, require_supported, service
from triggers.client.abort_watch import AbortWatch, silence
from triggers.client.callers import Callers
from triggers.client.declarer import holder
from triggers.client.election import Election
from triggers.client.exit_limit import limit_exit
from triggers.client.interruption import end_process, handled
from triggers.client.narration import narrate
from triggers.client.registration import Registration
from triggers.client.service_task import ServiceTask
from triggers.client.tenure import Tenure
from triggers.context import Context, NoHints
from triggers.context.api_account import ApiAccount
from triggers.ledger import Ledger
from triggers.ledger.deployment.schedulers import Scheduler
from triggers.ledger.epoch import Epoch
from triggers.ledger.registry.registry import Snapshot
from triggers.local import console_child
from triggers.local.supervisor import Supervisor
from triggers.model import Trigger
from triggers.model.launch_tags import scheduler_tag
from triggers.stages.sync import sync
from triggers.sync import renewal, shadow_report, takeover

log = logger(__name__)

#: How long an orderly end waits for functions that still run, seconds.
FUNCTION_PATIENCE_SECONDS: Final = 5.0


class ServingProcess:
    """Registers triggers and, unless a Redis is given by URL, runs everything that serves them."""

    def __init__(
        self,
        task: ServiceTask,
        poll_seconds: float,
        settings: Settings,
        *,
        triggers: Sequence[Trigger] = (),
        functions: Mapping[str, Function] | None = None,
        sync_seconds: float = 900.0,
        shadow: bool = False,
        quiet_seconds: float = 0.0,
        sources: Mapping[str, str] | None = None,
    ) -> None:
        """Find out who the scheduler is; starts nothing. `sources`: trigger id → file that declares it.

        Raises:
            Usage: there are no ClearML credentials, or the ClearML server is too old.
            ServerUnavailable, Refused: the ClearML server cannot be asked, for two minutes.
        """
        self.settings, self.task = settings, task
        self.triggers, self.functions = list(triggers), dict(functions or {})
        self.sources = dict(sources or {})
        self.credentials = Credentials.resolve()
        self.api = Api(self.credentials, timeout_seconds=settings.request_timeout_seconds)
        self._account = ApiAccount(settings.api_calls_per_month, tells=bool(settings.redis_url))
        patiently(lambda: require_supported(self.api))
        self.scheduler = Scheduler(
            host=self.credentials.host,
            workspace=patiently(lambda: identity(self.api)),
            project=task.project,
            name=task.name,
            poll_seconds=poll_seconds,
            service_task=task.id,
            sync_seconds=sync_seconds,
            web=task.web,
            shadow=shadow,
            quiet_seconds=quiet_seconds,
        )
        self._registration = Registration(task, self.scheduler, self.api, settings, self.sources, self._adopt)
        self._election = Election(
            self.scheduler, settings, holder(self.triggers, self.functions, self.sources), self._adopt
        )
        self._supervisor: Supervisor | None = None
        self._stopping = threading.Event()
        self._received: list[int] = []
        # what a shell without job control starts in the background ignores SIGINT, and goes on doing so
        ignored = signal.getsignal(signal.SIGINT) is signal.SIG_IGN
        self._signals = handled(self._terminate, signal.SIGTERM, *(() if ignored else (signal.SIGINT,)))

    def __enter__(self) -> ServingProcess:
        """Until `run` takes the signals, they end the process at once; the SDK would swallow SIGTERM."""
        self._signals.__enter__()
        return self

    def __exit__(self, *exc: object) -> None:
        self._signals.__exit__(*exc)
        if self._supervisor is not None:
            self._supervisor.stop()
        self._election.leave()

    def _terminate(self, number: int) -> None:
        self._signals.__exit__()
        self._end(number)

    def _end(self, number: int) -> None:
        """End as without us, and soon, even if the ClearML server has gone."""
        limit_exit(128 + number, lambda: does_answer(self.credentials))
        end_process(number)

    def console(self, wanted: bool | int) -> AbstractContextManager[object]:
        """The console beside what this process serves: on the port that is given, on that of always for True.

        Raises:
            Usage: what the console is made of is not installed.
        """
        port = console_child.PORT if wanted is True else None if wanted is False else wanted
        return console_child.beside(port, self.scheduler.id, self.credentials.environment())

    def enter(self) -> Ledger:
        """Wait until this process is the serving one; return the scheduler's ledger.

        Raises:
            Usage: another process declares other triggers under this identity, or another Redis has them.
        """
        # first of all: a process that is refused ends its service task as failed, which is not an event
        self._mark_service_task()
        ledger = self._election.enter()
        if self._election.redis is not None:
            self._supervisor = Supervisor(redis=self._election.redis, credentials=self.credentials.environment())
            self._supervisor.prepare()
        return self._claimed(ledger)

    def visit(self) -> Ledger:
        """The ledger for a registration beside a serving process that declares the same."""
        self._mark_service_task()
        return self._claimed(self._election.visit())

    def _mark_service_task(self) -> None:
        patiently(lambda: service.adopt(self.api, self.task.id, self.scheduler.id))

    def _claimed(self, ledger: Ledger) -> Ledger:
        """The ledger, once the service task says which Redis has it."""
        context = self.context(ledger)
        takeover.take_over(context, self.scheduler, ask=patiently)
        return ledger

    def connect(self) -> Ledger:
        """The scheduler's ledger, on the Redis of the settings or on a private one; nobody is asked."""
        return self._election.connect()

    def _adopt(self, ledger: Ledger) -> Epoch:
        """Learn the run of Redis; of one that knows nothing of the scheduler, whether there is something to know."""
        new = ledger.is_new()
        nothing = new and not launches.find_launches(self.api, [scheduler_tag(self.scheduler.id)])
        return ledger.adopt_epoch(nothing_launched_before=nothing)

    def register(self, ledger: Ledger, declared: Sequence[Trigger] | None = None) -> Snapshot:
        """Make the script's triggers the whole of what is declared; an agent's run goes by what ClearML shows.

        Idempotent.

        Args:
            ledger: of the scheduler.
            declared: triggers in place of those that this was made with.
        """
        if declared is not None:
            self.triggers = list(declared)
        return patiently(lambda: self._registration.register(ledger, self.triggers))

    def show(self, ledger: Ledger) -> None:
        """Write sections and tables now; a failure leaves them to the workers."""
        try:
            sync(self.context(ledger), self.scheduler, force=True)
        except (TriggersError, redis.RedisError) as failure:
            log.warning("cannot write to the service task now; retrying: %s", failure)

    def depart(self, ledger: Ledger) -> None:
        """Leave after a registration: the service task runs on if workers serve it."""
        if self.settings.redis_url:
            self.task.leave_running(self.api, self.settings.package)
        elif self._election.redis is not None:
            renewal.give_back(self.context(ledger), self.scheduler)
        self._hand_in_calls(ledger)

    def _hand_in_calls(self, ledger: Ledger) -> None:
        with suppress(redis.RedisError):
            self._account.settle(ledger.calls, self.api, force=True)

    def run(self, ledger: Ledger) -> None:
        """Serve until `stop`, SIGINT or SIGTERM; then end every process started here, within 10 s.

        Raises:
            Fenced: another process took over this scheduler.
            SystemExit: a person aborted the service task.
        """
        silence(self.task.handle)
        context = self.context(ledger)
        callers = Callers(context, self.functions)
        callers.start()
        tenure = self._tenure(context)
        keeping = threading.Thread(target=tenure.keep, args=(self._stopping, self.stop), name="tenure", daemon=True)
        keeping.start()
        narrator = narrate(ledger, self.scheduler, self.settings, self._election.folder)

        def farewell() -> None:
            left = callers.finish(FUNCTION_PATIENCE_SECONDS)
            for name in left:
                log.warning("the function of trigger %r still runs; it is called again at the next start", name)
            if context.shadow:
                shadow_report.print_differences(context)
            self._save_final_state(ledger, context)
            narrator.finish()

        with handled(self._receive, signal.SIGINT, signal.SIGTERM):
            try:
                if number := ending.asked():  # while everything was started, and nothing came of it
                    self._receive(number)
                self._serve(farewell)
            finally:
                self.stop()
                self._election.leave()
        if self._received:
            self._end(self._received[0])
        if tenure.lost:
            raise Fenced(tenure.lost)
        if tenure.aborted and tenure.abort:
            tenure.abort.end(self.task.handle)
            raise SystemExit(1)

    def _receive(self, number: int) -> None:
        self._received.append(number)
        self.stop()

    def _serve(self, farewell: Callable[[], None]) -> None:
        private = self._election.redis
        if private is None:
            self._stopping.wait()
            farewell()
            return
        assert self._supervisor is not None
        if not self._stopping.is_set():
            self._supervisor.run(farewell)

    def _tenure(self, context: Context) -> Tenure:
        # an agent ends the process of a task that a person aborts
        watched = self.task.handle is not None and not self.task.remote
        return Tenure(
            context,
            self._election,
            self._account,
            AbortWatch(self.api, context.ledger, self.scheduler) if watched else None,
            partial(self._register_again, context) if self.triggers else None,
        )

    def _register_again(self, context: Context) -> None:
        takeover.take_over(context, self.scheduler)
        self.register(context.ledger)

    def _save_final_state(self, ledger: Ledger, context: Context) -> None:
        """Show what has happened since the last turn, save the state, let the next process in at once."""
        try:
            sync(context, self.scheduler)
            if self._election.redis is not None:  # elsewhere workers go on serving
                renewal.give_back(context, self.scheduler)
        except (TriggersError, redis.RedisError) as failure:
            log.warning("could not save the final state to the service task: %s", failure)
        self._hand_in_calls(ledger)
        self._election.resign(ledger)

    def stop(self) -> None:
        """Make `run` return. Safe in a signal handler and from any thread."""
        self._stopping.set()
        if self._supervisor is not None:
            self._supervisor.request_stop()

    def context(self, ledger: Ledger) -> Context:
        """The scheduler as this process sees it."""
        return Context(
            ledger=ledger,
            api=self.api,
            settings=self.settings,
            hints=NoHints(),
            epoch=self._adopt(ledger),
            service_task=self.task.id,
            shadow=self.scheduler.shadow,
        )
