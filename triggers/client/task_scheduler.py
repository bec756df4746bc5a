"""TaskScheduler: the drop-in client for schedules. `TriggerScheduler` with the original's call."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta
from os import PathLike
from typing import TYPE_CHECKING, Any

from triggers.client.argument_types import CatchUp, Overlap, TaskQuery
from triggers.client.scheduler import TriggerScheduler

if TYPE_CHECKING:  # importing this module is cheap
    from clearml import Task

    from triggers.actions.action import Action
    from triggers.model import Trigger


class TaskScheduler(TriggerScheduler):
    """Launch ClearML tasks, or call functions, at times.

    Takes the arguments of `clearml.automation.TaskScheduler` in the same order, and its own ones by keyword only. Add
    schedules with `add_task`, then call `start`, `start_remotely`, or `register`. Triggers can be added beside them.

    Example:
        scheduler = TaskScheduler()
        scheduler.add_task(
            name="nightly",
            schedule_task_id="4f2ad0c1e5b94a6d8a5a0f0f5b0c7d11",
            queue="default",
            day=1,
            hour=22,
            minute=30,
            timezone="Europe/Berlin",
        )
        scheduler.start()
    """

    def __init__(
        self,
        sync_frequency_minutes: float = 15,
        force_create_task_name: str | None = None,
        force_create_task_project: str | None = None,
        *,
        check: Callable[[Trigger], None] | None = None,
    ) -> None:
        """Create a scheduler and its service task, as `TriggerScheduler` does.

        Args:
            sync_frequency_minutes (float, default 15): Pause between two reads of the service task's configuration, in
                minutes; more than 0.
            force_create_task_name (str, optional): Create the service task under this name even if the script has a
                ClearML task already.
            force_create_task_project (str, optional): Project of that service task. None means "DevOps".
            check (Callable[[Trigger], None], optional): Function that is called with each new schedule before it is
                added. It may issue warnings, and refuses the schedule by raising.

        Raises:
            Usage: An argument is wrong, or the ClearML server refuses the credentials or does not answer. A
                `ValueError`; if nothing catches it, the script prints one line and exits with code 2.
        """
        super().__init__(None, sync_frequency_minutes, force_create_task_name, force_create_task_project, check=check)

    def add_task(
        self,
        schedule_task_id: str | Task | None = None,
        schedule_function: Callable[..., Any] | None = None,
        queue: str | None = None,
        name: str | None = None,
        target_project: str | None = None,
        minute: int | None = None,
        hour: int | None = None,
        day: int | None = None,
        weekdays: Sequence[str] | None = None,
        month: int | None = None,
        year: int | None = None,
        limit_execution_time: float | None = None,
        single_instance: bool = False,
        recurring: bool = True,
        execute_immediately: bool = False,
        reuse_task: bool = False,
        task_parameters: Mapping[str, Any] | None = None,
        task_overrides: Mapping[str, Any] | None = None,
        *,
        cron: str | None = None,
        every: str | timedelta | None = None,
        at: str | datetime | None = None,
        timezone: str = "UTC",
        jitter_seconds: float = 0,
        until: str | datetime | None = None,
        exclude: str | PathLike[str] | Sequence[str | date] | None = None,
        catch_up: CatchUp = "last",
        catch_up_window: str | timedelta = "1d",
        schedule_task_query: TaskQuery | None = None,
        add_tag: bool | str | None = None,
        overlap: Overlap = "skip",
        max_per_minute: int | None = None,
        pause_on_failures: int | None = None,
        function_workers: bool = False,
        provenance: bool = True,
        owner: str | None = None,
        actions: Sequence[Action] | None = None,
        on_failed: Sequence[Action] | None = None,
        on_resolved: Sequence[Action] | None = None,
    ) -> bool:
        """Add a schedule, with the arguments of the original's `add_task` in the same order.

        `queue` is what `add_schedule` calls `schedule_queue`; the other arguments are explained there.

        Returns:
            True.

        Raises:
            InvalidTrigger: An argument has a wrong type or value, is missing, or cannot be combined with another one.
        """
        given = dict(locals())
        given["schedule_queue"] = given.pop("queue")
        return self._add("schedule", given)
