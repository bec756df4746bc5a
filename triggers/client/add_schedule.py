"""The call `add_schedule`. `python -m tests.docstrings` writes its `Args` from the declared fields."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta
from os import PathLike
from typing import TYPE_CHECKING, Any

from triggers.client.argument_types import CatchUp, Overlap, ScheduleFunction, TaskQuery, Weekday
from triggers.client.declaring import Declaring

if TYPE_CHECKING:
    from clearml import Task
    from clearml.automation.scheduler import ScheduleJob

    from triggers.actions.action import Action


class AddsSchedules(Declaring):
    """`TriggerScheduler` and `TaskScheduler`, as far as they add schedules."""

    def add_schedule(
        self,
        schedule_task_id: str | Task | None = None,
        schedule_function: ScheduleFunction | None = None,
        schedule_queue: str | None = None,
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
        """Add a schedule: a trigger that fires at times.

        Give exactly one of `cron`, `every`, `at`, and the arguments of the original's `TaskScheduler` (`minute`,
        `hour`, `day`, `weekdays`, `month`, `year`). Of these, the longest one says how often, the shorter ones say
        when.

        Args:
            schedule_task_id (str | Task, optional): ClearML task to clone, as an id or a `clearml.Task`. Give exactly
                one of `schedule_task_id`, `schedule_task_query`, and `schedule_function`.
            schedule_function (ScheduleFunction, optional): Function to call instead of launching a ClearML task:
                without arguments, or with the nominal time, a text in ISO 8601, if it takes one. If it has a parameter
                `firing`, it also gets a `FiringInfo`. It can be called more than once for one firing: when it raises,
                and when its process dies.
            schedule_queue (str, optional): Name or id of the queue to enqueue the ClearML task in. Required with a
                task.
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
            scheduler.add_schedule(
                name="nightly",
                cron="15 6 * * mon-fri",
                timezone="Europe/Berlin",
                schedule_task_id="4f2ad0c1e5b94a6d8a5a0f0f5b0c7d11",
                schedule_queue="default",
                task_parameters={"Args/day": "${schedule.at}"},
            )
        """
        return self._add("schedule", locals())

    def get_scheduled_tasks(self) -> list[ScheduleJob]:
        """List the declared schedules as objects of the SDK's class `ScheduleJob`.

        Returns:
            Copies: changing one does not change the scheduler.
        """
        from triggers.model.sdk import sdk_schedule

        return [sdk_schedule(each.trigger, each.function) for each in self._declared["schedule"].values()]

    def remove_task(self, task_id: str | Task | Callable[..., Any]) -> bool:
        """Remove the declared schedules that launch a ClearML task or call a function.

        Args:
            task_id (str | Task | Callable): The ClearML task, its id, or the function.

        Returns:
            Whether there was one. The change takes effect when the scheduler is registered or started.
        """
        known, wanted = self._declared["schedule"], getattr(task_id, "id", task_id)
        found = [
            name
            for name, each in known.items()
            if (each.trigger.action.base_task == wanted if isinstance(wanted, str) else each.function == task_id)
        ]
        for name in found:
            del known[name]
        return bool(found)
