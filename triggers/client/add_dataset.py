"""The call `add_dataset_trigger`. `python -m tests.docstrings` writes its `Args` from the declared fields."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from triggers.client.argument_types import Fire, Overlap, TaskQuery, TriggerFunction
from triggers.client.declaring import Declaring

if TYPE_CHECKING:
    from clearml import Task

    from triggers.actions.action import Action


class AddsDatasetTriggers(Declaring):
    """`TriggerScheduler`, as far as it adds triggers on dataset versions."""

    def add_dataset_trigger(
        self,
        schedule_task_id: str | Task | None = None,
        schedule_queue: str | None = None,
        schedule_function: TriggerFunction | None = None,
        trigger_project: str | None = None,
        trigger_name: str | None = None,
        trigger_on_publish: bool | None = None,
        trigger_on_tags: Sequence[str] | None = None,
        trigger_on_archive: bool | None = None,
        trigger_required_tags: Sequence[str] | None = None,
        name: str | None = None,
        target_project: str | None = None,
        add_tag: bool | str | None = True,
        single_instance: bool = False,
        reuse_task: bool = False,
        task_parameters: Mapping[str, Any] | None = None,
        task_overrides: Mapping[str, Any] | None = None,
        *,
        trigger_on_any_tags: Sequence[str] | None = None,
        trigger_exclude_tags: Sequence[str] | None = None,
        trigger_on_user: Sequence[str] | None = None,
        schedule_task_query: TaskQuery | None = None,
        fire: Fire = "once",
        cooldown_minutes: float = 0,
        overlap: Overlap = "skip",
        max_per_minute: int | None = None,
        limit_execution_time: float | None = None,
        pause_on_failures: int | None = None,
        function_workers: bool = False,
        provenance: bool = True,
        owner: str | None = None,
        actions: Sequence[Action] | None = None,
        on_failed: Sequence[Action] | None = None,
        on_resolved: Sequence[Action] | None = None,
    ) -> bool:
        """Add a trigger that fires on dataset versions.

        `trigger_project` is the project of the dataset, and includes datasets created later. Only finalized versions
        fire, unless `trigger_on_publish` or `trigger_on_archive` is given.

        Args:
            schedule_task_id (str | Task, optional): ClearML task to clone, as an id or a `clearml.Task`. Give exactly
                one of `schedule_task_id`, `schedule_task_query`, and `schedule_function`.
            schedule_queue (str, optional): Name or id of the queue to enqueue the ClearML task in. Required with a
                task.
            schedule_function (TriggerFunction, optional): Function to call with the id of the object instead of
                launching a ClearML task. If it has a parameter `firing`, it also gets a `FiringInfo`. It can be called
                more than once for one firing: when it raises, and when its process dies.
            trigger_project (str, optional): Full name of the project, such as 'Team/Training'. Objects of subprojects
                do not count.
            trigger_name (str, optional): Regular expression, searched anywhere in the name of the object;
                case-sensitive.
            trigger_on_publish (bool, optional): Fire only if the object is published.
            trigger_on_tags (Sequence[str], optional): Fire only if the object has all of these tags.
            trigger_on_archive (bool, optional): Fire only if the object is archived.
            trigger_required_tags (Sequence[str], optional): More tags that the object must have, all of them; same
                effect as `trigger_on_tags`.
            name (str, optional): Name of the trigger, unique among the triggers of its kind; a trigger keeps its
                history under its name. If omitted, the id of the base task; required without `schedule_task_id`.
            target_project (str, optional): Project of the launched ClearML task, created if it is missing. If omitted,
                the project of the base task.
            add_tag (bool | str | None, default True): Tag of the launched ClearML task. True means the name of the
                trigger, False no tag.
            single_instance (bool, default False): Do not launch while the previous launch of this trigger is queued or
                running.
            reuse_task (bool, default False): Run the base task itself each time instead of a clone. Requires
                `schedule_task_id`; cannot be combined with `task_parameters` or `task_overrides`.
            task_parameters (Mapping[str, Any], optional): Hyperparameters of the launched ClearML task, as
                {'Section/name': value}, merged into those of the base task. '${dataset.id}' in a value becomes the id
                of the object; '$${' is a literal '${'.
            task_overrides (Mapping[str, Any], optional): Other parts of the launched ClearML task, such as
                {'script.branch': 'main', 'container.image': 'python:3.12', 'Args/lr': 0.1};
                `triggers.actions.overrides` lists the keys. '${dataset.id}' as in `task_parameters`.
            trigger_on_any_tags (Sequence[str], optional): Fire only if the object has at least one of these tags.
            trigger_exclude_tags (Sequence[str], optional): Do not fire if the object has any of these tags.
            trigger_on_user (Sequence[str], optional): Fire only if one of these users created or last changed the
                object: user ids, or the name of the creator.
            schedule_task_query (TaskQuery, optional): Query for the ClearML task to clone, resolved at each firing to
                the newest match: at least one of 'project', 'name' (both exact), and 'tags' (all present). The project
                and name of a pipeline mean its newest run.
            fire ('once' | 'on_transition' | 'while_true', default 'once'): How often one object can fire: 'once';
                'on_transition', each time the condition becomes true after it was false; 'while_true', at each change
                while it is true, `cooldown_minutes` apart or more.
            cooldown_minutes (float, default 0): Minimum time between the changes that lead to two firings for one
                object, in minutes. Requires fire='while_true'.
            overlap ('skip' | 'queue' | 'latest' | 'all' | 'cancel_previous', default 'skip'): What happens to a firing
                while the previous launch is queued or running: 'skip' skips it, 'queue' holds it until the previous
                launch has ended, 'latest' holds only the newest, 'cancel_previous' aborts the previous launch first;
                these three require single_instance=True. 'all' launches side by side, as without single_instance.
            max_per_minute (int, optional): Maximum number of launches per minute; further firings are held. 0 means no
                limit, None the setting TRIGGERS_MAX_PER_MINUTE.
            limit_execution_time (float, optional): Abort a launched ClearML task that has not ended this many hours
                after its launch (0.5 is half an hour).
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
            on_resolved (Sequence[Action], optional): Actions to carry out when the condition has become false again
                after a firing. Requires fire='on_transition'.

        Returns:
            True.

        Raises:
            InvalidTrigger: An argument has a wrong type or value, is missing, or cannot be combined with another one.
                A `ValueError`; the message names the trigger, the argument, its value, and what to give instead.

        Example:
            scheduler.add_dataset_trigger(
                name="retrain",
                trigger_project="Team/Images",
                schedule_task_id="4f2ad0c1e5b94a6d8a5a0f0f5b0c7d11",
                schedule_queue="default",
                task_parameters={"Args/dataset_id": "${dataset.id}"},
            )
        """
        return self._add("dataset", locals())
