"""The `add_*` calls of `TriggerScheduler`, spelled out for editors, and what has been declared by them."""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:  # importing this module is cheap: what validates is imported where it is used
    from clearml import Task
    from clearml.automation.trigger import BaseTrigger

    from triggers.client.declaration import Declaration
    from triggers.model import Trigger
    from triggers.model.kinds import Kind

Fire = Literal["once", "on_transition", "while_true"]
Overlap = Literal["skip", "queue", "latest"]
Tags = Sequence[str]


class Declaring:
    """Collects validated triggers. Each call's arguments are explained in `TriggerScheduler`."""

    def __init__(self, check: Callable[[Trigger], None] | None) -> None:
        """Begin with none; `check` is called with each new trigger before it is added."""
        self._check = check
        self._declared: dict[Kind, dict[str, Declaration]] = defaultdict(dict)

    def add_model_trigger(
        self,
        schedule_task_id: str | Task | None = None,
        schedule_queue: str | None = None,
        schedule_function: Callable[..., Any] | None = None,
        trigger_project: str | None = None,
        trigger_name: str | None = None,
        trigger_on_publish: bool | None = None,
        trigger_on_tags: Tags | None = None,
        trigger_on_archive: bool | None = None,
        trigger_required_tags: Tags | None = None,
        name: str | None = None,
        target_project: str | None = None,
        add_tag: bool | str | None = True,
        single_instance: bool = False,
        reuse_task: bool = False,
        task_parameters: Mapping[str, Any] | None = None,
        task_overrides: Mapping[str, Any] | None = None,
        *,
        trigger_on_any_tags: Tags | None = None,
        trigger_exclude_tags: Tags | None = None,
        trigger_on_user: Sequence[str] | None = None,
        schedule_task_query: Mapping[str, Any] | None = None,
        fire: Fire = "once",
        cooldown_minutes: float = 0,
        overlap: Overlap = "skip",
        max_per_minute: int | None = None,
        function_workers: bool = False,
        provenance: bool = True,
        owner: str | None = None,
    ) -> bool:
        """Fire on models. Without any condition: on every change of a model, once each."""
        return self._add("model", locals())

    def add_dataset_trigger(
        self,
        schedule_task_id: str | Task | None = None,
        schedule_queue: str | None = None,
        schedule_function: Callable[..., Any] | None = None,
        trigger_project: str | None = None,
        trigger_name: str | None = None,
        trigger_on_publish: bool | None = None,
        trigger_on_tags: Tags | None = None,
        trigger_on_archive: bool | None = None,
        trigger_required_tags: Tags | None = None,
        name: str | None = None,
        target_project: str | None = None,
        add_tag: bool | str | None = True,
        single_instance: bool = False,
        reuse_task: bool = False,
        task_parameters: Mapping[str, Any] | None = None,
        task_overrides: Mapping[str, Any] | None = None,
        *,
        trigger_on_any_tags: Tags | None = None,
        trigger_exclude_tags: Tags | None = None,
        trigger_on_user: Sequence[str] | None = None,
        schedule_task_query: Mapping[str, Any] | None = None,
        fire: Fire = "once",
        cooldown_minutes: float = 0,
        overlap: Overlap = "skip",
        max_per_minute: int | None = None,
        function_workers: bool = False,
        provenance: bool = True,
        owner: str | None = None,
    ) -> bool:
        """Fire on dataset versions.

        `trigger_project` is the dataset's project, and covers datasets created later. Unless
        `trigger_on_publish` or `trigger_on_archive` is given, a version has to be finalised.
        """
        return self._add("dataset", locals())

    def add_task_trigger(
        self,
        schedule_task_id: str | Task | None = None,
        schedule_queue: str | None = None,
        schedule_function: Callable[..., Any] | None = None,
        trigger_project: str | None = None,
        trigger_name: str | None = None,
        trigger_on_tags: Tags | None = None,
        trigger_on_status: Sequence[str] | None = None,
        trigger_exclude_dev_tasks: bool | None = None,
        trigger_on_metric: str | None = None,
        trigger_on_variant: str | None = None,
        trigger_on_threshold: float | None = None,
        trigger_on_sign: Literal["max", "maximum", "min", "minimum", "last"] | None = None,
        trigger_required_tags: Tags | None = None,
        name: str | None = None,
        target_project: str | None = None,
        add_tag: bool | str | None = True,
        single_instance: bool = False,
        reuse_task: bool = False,
        task_parameters: Mapping[str, Any] | None = None,
        task_overrides: Mapping[str, Any] | None = None,
        *,
        trigger_on_direction: Literal["above", "below"] | None = None,
        trigger_on_publish: bool | None = None,
        trigger_on_archive: bool | None = None,
        trigger_on_any_tags: Tags | None = None,
        trigger_exclude_tags: Tags | None = None,
        trigger_on_user: Sequence[str] | None = None,
        schedule_task_query: Mapping[str, Any] | None = None,
        fire: Fire = "once",
        cooldown_minutes: float = 0,
        overlap: Overlap = "skip",
        max_per_minute: int | None = None,
        function_workers: bool = False,
        provenance: bool = True,
        owner: str | None = None,
    ) -> bool:
        """Fire on ClearML tasks, dataset versions among them."""
        return self._add("task", locals())

    def get_triggers(self) -> list[BaseTrigger]:
        """List what is declared, models first, then datasets, then tasks, as objects of the SDK's classes.

        They are copies: changing one changes nothing here. `project` is the name where no id is known.
        """
        from triggers.model.sdk import sdk_trigger

        return [sdk_trigger(each.trigger, each.function) for each in self.declarations]

    @property
    def declarations(self) -> tuple[Declaration, ...]:
        """What has been added so far: models first, then datasets, then tasks, each in order."""
        from triggers.model.kinds import KINDS

        return tuple(each for kind in KINDS for each in self._declared[kind].values())

    def _add(self, kind: Kind, arguments: dict[str, Any]) -> bool:
        from triggers.client.declaration import declare

        del arguments["self"]
        caller = sys._getframe(2)
        place = f"{PurePath(caller.f_code.co_filename).name}:{caller.f_lineno}"
        return self.declare(declare(kind, arguments, self._declared[kind], place))

    def declare(self, declaration: Declaration) -> bool:
        """Add a trigger that was read elsewhere, such as in a file."""
        if self._check is not None:
            self._check(declaration.trigger)
        from triggers.model import check_new

        check_new(declaration.trigger)
        self._declared[declaration.trigger.kind][declaration.trigger.name] = declaration
        return True
