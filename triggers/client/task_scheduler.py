"""TaskScheduler: the drop-in client for schedules. `TriggerScheduler` with the original's call.

`python -m tests.docstrings` writes the `Args` of `add_task` from the declared fields.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta
from os import PathLike
from typing import TYPE_CHECKING, Any

from triggers.client.argument_types import CatchUp, Overlap, ScheduleFunction, TaskQuery, Weekday
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
        schedule_function: ScheduleFunction | None = None,
        queue: str | None = None,
        name: str | None = None,
        target_project: str | None = None,
        minute: int | None = None,
        hour: int | None = None,
        day: int | None = None,
        weekdays: Sequence[Weekday] | None = None,
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
        jitter_seconds: float | str | timedelta = 0,
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

        Give exactly one of `cron`, `every`, `at`, and the arguments of the original (`minute`, `hour`, `day`,
        `weekdays`, `month`, `year`). Of these, the longest one says how often, the shorter ones say when.

        Args:
            schedule_task_id (str | Task, optional): ClearML task to clone, as an id or a `clearml.Task`. Give exactly
                one of `schedule_task_id`, `schedule_task_query`, and `schedule_function`.
            schedule_function (ScheduleFunction, optional): Function to call instead of launching a ClearML task:
                without arguments, or with the nominal time, a text in ISO 8601, if it takes one. If it has a parameter
                `firing`, it also gets a `FiringInfo`. It can be called more than once for one firing: when it raises,
                and when its process dies.
            queue (str, optional): Name or id of the queue to enqueue the ClearML task in. Required with a task.
            name (str, optional): Name of the schedule, unique among the schedules; a schedule keeps its history under
                its name. If omitted, the id of the base task; required without `schedule_task_id`.
            target_project (str, optional): Project of the launched ClearML task, created if it is missing. If omitted,
                the project of the base task.
            minute (int, optional): Minutes between two times; with a longer argument, the minute of the hour.
            hour (int, optional): Hours between two times; with a longer argument, the hour of the day.
            day (int, optional): Days between two times; with `month` or `year`, the day of the month (its last day if
                it has fewer). With `weekdays`, 0 or 1 means once on each of these days.
            weekdays (Sequence[Weekday], optional): Days of the week, such as ['monday', 'friday']. With day=0 or day=1,
                at `hour` and `minute`; without `day`, every `hour` and `minute` within these days.
            month (int, optional): Months between two times; with `year`, the month of the year.
            year (int, optional): Years between two times, up to 100; a year after 2000 means that one date.
            limit_execution_time (float, optional): Abort a launched ClearML task that has not ended this many hours
                after its launch (0.5 is half an hour).
            single_instance (bool, default False): Do not launch while the previous launch of this trigger is queued or
                running.
            recurring (bool, default True): False means the first time only.
            execute_immediately (bool, default False): Also run once when the schedule is registered for the first time,
                or as soon as a worker runs within the day after that.
            reuse_task (bool, default False): Run the base task itself each time instead of a clone. Requires
                `schedule_task_id`; cannot be combined with `task_parameters` or `task_overrides`.
            task_parameters (Mapping[str, Any], optional): Hyperparameters of the launched ClearML task, as
                {'Section/name': value}, merged into those of the base task. '${schedule.at}' in a value becomes the
                nominal time in ISO 8601 with its offset; '$${' is a literal '${'.
            task_overrides (Mapping[str, Any], optional): Other parts of the launched ClearML task, such as
                {'script.branch': 'main'}; `triggers.actions.overrides` lists the keys. '${schedule.at}' as in
                `task_parameters`.
            cron (str, optional): Cron expression such as '15 6 * * mon-fri': minute, hour, day of the month, month, day
                of the week; a sixth field in front means seconds. Or a name such as '@daily'.
            every (str | timedelta, optional): Time between two times, such as '90m', '1h30m', or a `timedelta`, counted
                from the registration; changes of the clocks do not alter it.
            at (str | datetime, optional): One moment: a datetime or ISO 8601; without an offset, local time of
                `timezone`.
            timezone (str, default 'UTC'): IANA name of the time zone whose local time counts, such as 'Europe/Berlin'.
            jitter_seconds (float | str | timedelta, default 0): Run up to this many seconds (or '5m') later than the
                nominal time, but before the next one; how many follows from the name of the schedule and the time, so
                that it never changes. An edit counts for later nominal times.
            until (str | datetime, optional): Last nominal time that counts: a datetime or ISO 8601, as `at`; a date
                means its first moment.
            exclude (str | PathLike[str] | Sequence[str | date], optional): Local dates to leave out, such as
                ['2026-12-25'], spans of them, such as ['2026-12-24/2027-01-02'], or the path of an iCalendar file
                (.ics) whose events are left out. The file is read when the schedule is declared.
            catch_up ('last' | 'all' | 'none', default 'last'): Which times to run that were missed by more than a
                minute while nothing ran: the 'last', 'all', or 'none'.
            catch_up_window (str | timedelta, default '1d'): How old a missed time may be to be run, such as '6h'.
            schedule_task_query (TaskQuery, optional): Query for the ClearML task to clone, resolved at each firing to
                the newest match: at least one of 'project', 'name' (both exact), and 'tags' (all present). The project
                and name of a pipeline mean its newest run.
            add_tag (bool | str, optional): Tag of the launched ClearML task. True means the name of the trigger, False
                no tag.
            overlap ('skip' | 'queue' | 'latest' | 'all' | 'cancel_previous', default 'skip'): What happens to a firing
                while the previous launch is queued or running: 'skip' skips it, 'queue' holds it until the previous
                launch has ended, 'latest' holds only the newest, 'cancel_previous' aborts the previous launch first;
                these three require single_instance=True. 'all' launches side by side, as without single_instance.
            max_per_minute (int, optional): Maximum number of launches per minute; further firings are held. 0 means no
                limit, None the setting TRIGGERS_MAX_PER_MINUTE.
            pause_on_failures (int, optional): Pause the trigger after this many failures in a row: launched ClearML
                tasks that failed, and firings that were given up.
            function_workers (bool, default False): Call the function on any dispatch worker, not in the process of the
                script. Workers must be able to import it, and TRIGGERS_FUNCTION_MODULES must name its module.
            provenance (bool, default True): Record in the launched ClearML task, in its configuration object 'trigger',
                what launched it.
            owner (str, optional): Whom notices of dead letters and holds name, such as '@ann' or 'ann@example.com'.
            actions (Sequence[Action], optional): Further actions of a firing, such as Webhook, Notify or Tag from
                `triggers.actions`, each carried out and retried apart from the others. Without `schedule_task_id`,
                `schedule_task_query` and `schedule_function`, they are all that the trigger does.
            on_failed (Sequence[Action], optional): Actions to carry out when an action of a firing has failed for the
                last time and is a dead letter.
            on_resolved (Sequence[Action], optional): Refused if given: a schedule has no condition that becomes false
                again.

        Returns:
            True.

        Raises:
            InvalidTrigger: An argument has a wrong type or value, is missing, or cannot be combined with another one.
                A `ValueError`; the message names the schedule, the argument, its value, and what to give instead.

        Example:
            scheduler.add_task(
                name="nightly",
                schedule_task_id="4f2ad0c1e5b94a6d8a5a0f0f5b0c7d11",
                queue="default",
                day=1,
                hour=22,
                minute=30,
                timezone="Europe/Berlin",
            )
        """
        given = dict(locals())
        given["schedule_queue"] = given.pop("queue")
        return self._add("schedule", given)
