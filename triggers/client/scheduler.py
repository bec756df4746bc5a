"""TriggerScheduler: the drop-in client. Collects the triggers that a script declares, validated."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from triggers.client.add_dataset import AddsDatasetTriggers
from triggers.client.add_model import AddsModelTriggers
from triggers.client.add_schedule import AddsSchedules
from triggers.client.add_task import AddsTaskTriggers
from triggers.client.arguments import minutes, optional_name, speaking_plainly, task_name

if TYPE_CHECKING:  # importing this module is cheap: what validates, registers and serves is imported where it is used
    from clearml import Task

    from triggers.client.service_task import ServiceTask
    from triggers.client.serving import ServingProcess
    from triggers.model import Trigger

#: Fastest pace of polling: once a second.
LEAST_POOLING_MINUTES: Final = 1 / 60


class TriggerScheduler(AddsModelTriggers, AddsDatasetTriggers, AddsTaskTriggers, AddsSchedules):
    """Launch ClearML tasks, or call functions, when models, datasets, or ClearML tasks change.

    Takes the arguments of `clearml.automation.TriggerScheduler` in the same order, and its own ones by keyword only.
    Add triggers with `add_model_trigger`, `add_dataset_trigger`, and `add_task_trigger`, and schedules with
    `add_schedule`, then call `start`, `start_remotely`, or `register`.

    Example:
        scheduler = TriggerScheduler(pooling_frequency_minutes=0.1)
        scheduler.add_task_trigger(
            name="retry",
            trigger_project="Training",
            trigger_on_status=["failed"],
            schedule_task_id="4f2ad0c1e5b94a6d8a5a0f0f5b0c7d11",
            schedule_queue="default",
        )
        scheduler.start()
    """

    def __init__(
        self,
        pooling_frequency_minutes: float | None = None,
        sync_frequency_minutes: float = 15,
        force_create_task_name: str | None = None,
        force_create_task_project: str | None = None,
        *,
        check: Callable[[Trigger], None] | None = None,
    ) -> None:
        """Create a scheduler and its service task: the current ClearML task or, if there is none, a new one.

        `Task.current_task()` returns the service task from then on. Without ClearML credentials, or if
        `triggers.testing` is imported, this call contacts no server.

        Args:
            pooling_frequency_minutes (float, optional): Pause between two polls, in minutes; at least 1/60 (one
                second). None means the setting TRIGGERS_POLL_SECONDS, or, if that is not set either, 5 seconds while
                something changes and up to 30 seconds after ten minutes without a change.
            sync_frequency_minutes (float, default 15): Pause between two reads of the service task's configuration, in
                minutes; more than 0.
            force_create_task_name (str, optional): Create the service task under this name even if the script has a
                ClearML task already.
            force_create_task_project (str, optional): Project of that service task. None means "DevOps".
            check (Callable[[Trigger], None], optional): Function that is called with each new trigger before it is
                added. It may issue warnings, and refuses the trigger by raising.

        Raises:
            Usage: An argument is wrong, or the ClearML server refuses the credentials or does not answer. A
                `ValueError`; if nothing catches it, the script prints one line and exits with code 2.
        """
        super().__init__(check)
        with speaking_plainly():
            self.pooling_frequency_minutes = minutes(
                "pooling_frequency_minutes", pooling_frequency_minutes, LEAST_POOLING_MINUTES
            )
            self.sync_frequency_minutes = minutes("sync_frequency_minutes", sync_frequency_minutes, 0)
            self.force_create_task_name = task_name("force_create_task_name", force_create_task_name)
            self.force_create_task_project = optional_name("force_create_task_project", force_create_task_project)
        self._service: ServiceTask | None = None
        if "triggers.testing" not in sys.modules:
            self._begin()

    def register(self) -> None:
        """Register the declared triggers and return without serving them.

        The scheduler then has exactly these triggers: a trigger that kept its name keeps its history, a trigger that is
        no longer declared is retired. Calling this again is harmless. With TRIGGERS_REDIS_URL, the service task stays
        in progress and the workers serve the triggers; otherwise a later `start` does.

        Raises:
            Usage: There are no ClearML credentials or no usable Redis, or another running process declares other
                triggers for this scheduler.
        """
        with self._process() as process:
            ledger = process.visit()
            process.register(ledger)
            process.show(ledger)
            process.depart(ledger)
        self._service = None  # closed where workers go on with it

    def start(self, *, dry_run: bool = False, console: bool | int = False) -> None:
        """Register the declared triggers and serve them until Ctrl-C or SIGTERM.

        Without TRIGGERS_REDIS_URL (local mode), this process starts a private Redis and one more Python process that
        polls, matches, and launches. With it, Celery workers do that, and this process only calls functions. If another
        process serves the same triggers, this one stands by and takes over when that process ends.

        Args:
            dry_run (bool, default False): Shadow mode, for a run beside `clearml.automation`: do everything except
                launching, and print at the end where the two differ.
            console (bool | int, default False): Serve the console on this machine meanwhile, on port 8090 or on the
                port that is given, and print a link to it. Needs the extra `console`.

        Raises:
            Usage: There are no ClearML credentials or no usable Redis, another running process declares other
                triggers for this scheduler, or the extra `console` is not installed.
        """
        with self._process(shadow=dry_run) as process, process.console(console):
            process.task.require_package_meanwhile(process.settings.package)
            ledger = process.enter()
            process.register(ledger)
            process.run(ledger)

    def start_remotely(self, queue: str = "services") -> None:
        """Enqueue the service task for an agent and end this process.

        When the agent runs the script, this call does what `start` does. Edits that people have made to the
        configuration of the service task in ClearML win over what the script declares.

        Args:
            queue (str, default "services"): Name of the queue that the agent serves.

        Raises:
            Usage: There are no ClearML credentials, the server has no such queue, or what `start` raises.
        """
        from triggers.base.settings import settings

        task = self._obtained()
        if not task.remote:
            task.send_away(queue, self._triggers(), settings().package)
        self.start()

    @property
    def _task(self) -> Task:
        """The service task, as the original's attribute has it."""
        return self._obtained().handle

    def _begin(self) -> None:
        """Have a service task from the beginning; without credentials `start` says what is missing."""
        from triggers.base.errors import NoCredentials
        from triggers.client import login

        try:
            self._obtained()
        except NoCredentials as missing:  # a declaration needs none: tests and tools make some
            login.speak_plainly(missing)

    def _obtained(self) -> ServiceTask:
        """The service task; the ClearML server is asked for it once."""
        from triggers.base.retry import patiently
        from triggers.base.settings import settings
        from triggers.client import login, service_task

        if self._service is None:
            login.speak_plainly()
            login.log_in(settings())
            self._service = patiently(
                lambda: service_task.obtain(self.force_create_task_name, self.force_create_task_project),
                reason="the SDK is still creating the service task on the ClearML server",
            )
            login.speak_plainly()  # before the SDK's hook, which `obtain` may have set
        return self._service

    def _process(self, *, shadow: bool = False) -> ServingProcess:
        from triggers.base.settings import settings
        from triggers.client.serving import ServingProcess

        return ServingProcess(
            self._obtained(),
            self.poll_seconds,
            settings(),
            triggers=self._triggers(),
            functions={each.trigger.id: each.function for each in self.declarations if each.function},
            sync_seconds=(self.sync_frequency_minutes or 15) * 60,
            shadow=shadow,
            quiet_seconds=self.quiet_seconds,
            sources={each.trigger.id: each.source for each in self.declarations},
        )

    def _triggers(self) -> list[Trigger]:
        return [each.trigger for each in self.declarations]

    @property
    def poll_seconds(self) -> float:
        """Pace of polling: what the script asked for, else that of the settings."""
        if self.pooling_frequency_minutes is not None:
            return self.pooling_frequency_minutes * 60
        from triggers.base.settings import settings  # read late: importing this module reads no environment

        return settings().poll_seconds

    @property
    def quiet_seconds(self) -> float:
        """Pace of polling after ten quiet minutes; 0 where script or settings chose the pace."""
        from triggers.base.settings import settings
        from triggers.rules.pace import QUIET_POLL_SECONDS

        chosen = self.pooling_frequency_minutes is not None or "poll_seconds" in settings().model_fields_set
        return 0.0 if chosen else QUIET_POLL_SECONDS
