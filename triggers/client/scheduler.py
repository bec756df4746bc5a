"""TriggerScheduler: the drop-in client. Collects the triggers that a script declares, validated."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from triggers.client.arguments import minutes, optional_name, task_name
from triggers.client.declaring import Declaring

if TYPE_CHECKING:  # importing this module is cheap: what validates, registers and serves is imported where it is used
    from clearml import Task

    from triggers.client.service_task import ServiceTask
    from triggers.client.serving import Home
    from triggers.model import Trigger

#: Fastest pace of polling: once a second.
LEAST_POOLING_MINUTES: Final = 1 / 60


class TriggerScheduler(Declaring):
    """Launch ClearML tasks, or call functions, when models, datasets or ClearML tasks change.

    Takes the arguments of `clearml.automation.TriggerScheduler` in their order; further ones by keyword only.

    Every `add_*` call takes:

    Args of the action:
        schedule_task_id: the ClearML task to clone, as id or `Task`; or
        schedule_task_query: {"project": ..., "name": ..., "tags": [...]}, resolved at each firing to the
            newest ClearML task that fits, or the newest run of the pipeline of that project and name; or
        schedule_function: a function, called with the object's id (and `firing=` if it has such a parameter).
        schedule_queue: name or id of the queue; needed with a task.
        name: identity of the trigger among those of its kind; the task's id if not given; needed otherwise.
        target_project: project of the launched ClearML task, made when missing; the base task's if not given.
        add_tag: tag of the launched ClearML task; True is the trigger's name.
        reuse_task: run the base task itself, every time.
        task_parameters: {"Section/name": value}, merged into the base task's hyperparameters.
        task_overrides: {"script.branch": "main", "Section/name": value, ...}; see `triggers.actions.overrides`. In
            both, "${model.id}" ("${dataset.id}", "${task.id}") is the object's id, "$${" a literal "${".
        provenance: tell in a configuration object `trigger` of the launched ClearML task what launched it.
        function_workers: call the function on any dispatch worker, which has to be able to import it.
        owner: who is notified when launches are given up or held, such as "@ann" or a mail address.

    Args of the policy:
        single_instance: no launch while the previous one is queued or running.
        overlap: what is due then is skipped ("skip"), held ("queue"), or only its newest is held ("latest").
        fire: "once" per object; "on_transition", again when the condition was false in between;
            "while_true", at every change that is at least `cooldown_minutes` after the last firing.
        cooldown_minutes: least time between the changes of two firings; needs fire="while_true".
        max_per_minute: most launches in a minute; 0 is no limit, None that of the settings.

    Args of the condition, of all kinds; all that are given have to hold:
        trigger_project: full name, not recursive.
        trigger_name: regular expression, searched in the name.
        trigger_on_tags, trigger_required_tags: all of these tags have to be present.
        trigger_on_any_tags: any of these tags.
        trigger_exclude_tags: none of these tags.
        trigger_on_user: made or last changed by any of these users, as ids; who made it, by name as well.
        trigger_on_publish: published.
        trigger_on_archive: archived.

    Args of the condition, of ClearML tasks only:
        trigger_on_status: any of these statuses.
        trigger_exclude_dev_tasks: only those run by an agent.
        trigger_on_metric, trigger_on_variant: title and series of a metric; with trigger_on_threshold.
        trigger_on_threshold: bound of that metric, inclusive.
        trigger_on_sign: what is compared: "max" wants the maximum at or above the threshold, "min" (default) the
            minimum at or below it, "last" the latest value on the side of it that `trigger_on_direction` names.
        trigger_on_direction: "above" or "below", where trigger_on_sign="last" has to be: it can come back.

    Returns of every `add_*` call: True. Raises: `InvalidTrigger`, a ValueError, naming argument and way out.
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
        """Declare a scheduler. Its service task is the current ClearML task or, as with the original, made here.

        So `Task.current_task()` exists from here on. Where no ClearML credentials are found, or `triggers.testing` is
        imported, no server is asked before `start`.

        Args:
            pooling_frequency_minutes: pace of polling, down to a second; None: that of the settings.
            sync_frequency_minutes: pace of reading the configuration of the service task.
            force_create_task_name: name of the service task, even where a ClearML task runs already.
            force_create_task_project: project of that service task.
            check: called with each new trigger before it is added; may warn, or raise to refuse it.

        Raises:
            Usage: an argument is wrong, or the ClearML server refuses the credentials or gives no answer. Where it ends
                the script, it is one line and exit code 2.
        """
        super().__init__(check)
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
        """Make what was declared the whole of this scheduler's triggers, and return; serving them is `start`'s.

        The service task runs on where workers serve it (TRIGGERS_REDIS_URL), with sections and tables in place.
        Idempotent: a trigger keeps its memory under its name, one no longer declared is retired.
        Raises what `start` raises.
        """
        with self._home() as home:
            ledger = home.visit()
            home.register(ledger)
            home.show(ledger)
            home.depart(ledger)
        self._service = None  # closed where workers go on with it

    def start(self, *, dry_run: bool = False) -> None:
        """Register, then serve until Ctrl-C or SIGTERM; this does not return before.

        Without TRIGGERS_REDIS_URL everything runs below this process: one more Python process and a private
        Redis. With it, the stages run wherever workers are started, and functions in this process. While
        another process serves the same triggers this one stands by, and takes over when that ends. `dry_run`
        is shadow mode: everything but the launch, beside the original; the end prints the differences.

        Raises:
            Usage: no ClearML credentials, no Redis to use, or the process at home declares something else.
        """
        with self._home(shadow=dry_run) as home:
            home.task.require_package_meanwhile(home.settings.package)
            ledger = home.enter()
            home.register(ledger)
            home.run(ledger)

    def start_remotely(self, queue: str = "services") -> None:
        """Put the service task into the queue of that name and end this process; run by an agent, this is `start`.

        There the configuration sections of the service task go before what the script declares.
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
        from triggers.base.settings import settings
        from triggers.client import login, service_task

        if self._service is None:
            login.speak_plainly()
            login.log_in(settings())
            self._service = service_task.obtain(self.force_create_task_name, self.force_create_task_project)
            login.speak_plainly()  # before the SDK's hook, which `obtain` may have set
        return self._service

    def _home(self, *, shadow: bool = False) -> Home:
        from triggers.base.settings import settings
        from triggers.client.serving import Home

        return Home(
            self._obtained(),
            self.poll_seconds,
            settings(),
            triggers=self._triggers(),
            functions={each.trigger.id: each.function for each in self.declarations if each.function},
            sync_seconds=(self.sync_frequency_minutes or 15) * 60,
            shadow=shadow,
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
