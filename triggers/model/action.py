"""What a trigger does when it fires, and how often it may."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, field_validator, model_validator

from triggers.actions import overrides as override_keys
from triggers.model.values import Flag, Minutes, Names, Project, Rate, Text, Values, one_of, wrong


class Frozen(BaseModel):
    """Base of all parts of a trigger: a value that is never changed, and refuses what it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="constants")


class TaskQuery(Frozen):
    """The base task as a question, answered anew at each firing: the newest ClearML task that fits.

    `project` and `name` are exact, the project is not recursive, all `tags` must be present.
    """

    project: Project = None
    name: Text = None
    tags: Names = ()

    @model_validator(mode="after")
    def _asks_something(self) -> TaskQuery:
        if not (self.project or self.name or self.tags):
            raise wrong("give at least one of 'project', 'name' and 'tags'", "schedule_task_query", {})
        return self


class TaskAction(Frozen):
    """Clone a ClearML task (or reuse it) and put it into a queue."""

    type: Literal["task"] = "task"
    base_task_id: Text = None
    query: TaskQuery | None = None
    queue: Text = None  # name or id
    target_project: Project = None
    tag: Text = None
    reuse_task: Flag = False
    parameters: Values = {}
    overrides: Values = {}

    @field_validator("overrides")
    @classmethod
    def _overrides_name_parts_of_a_task(cls, overrides: dict[str, Any]) -> dict[str, Any]:
        for key, value in overrides.items():
            try:
                problem = override_keys.problem_of(override_keys.parse_key(key), value)
            except ValueError as error:
                raise wrong(f"{key!r}: {error}") from None
            if problem:
                raise wrong(f"{key!r}: {problem}")
        return overrides

    @model_validator(mode="after")
    def _is_complete(self) -> TaskAction:
        base = self.base_task_id or self.query
        if not base or (self.base_task_id and self.query):
            raise wrong("give either schedule_task_id or schedule_task_query", "schedule_task_id", self.base_task_id)
        if not self.queue:
            raise wrong("give the name or id of the queue to put the task into", "schedule_queue", self.queue)
        if self.reuse_task:
            self._can_be_reused()
        return self

    def _can_be_reused(self) -> None:
        if self.query:
            raise wrong("one task is reused: name it with schedule_task_id", "reuse_task", True)
        if self.parameters:
            raise wrong(
                "not available with reuse_task=True: leave one of the two out",
                "task_parameters",
                self.parameters,
            )
        if self.overrides:
            raise wrong(
                "not available with reuse_task=True: leave one of the two out",
                "task_overrides",
                self.overrides,
            )


class FunctionAction(Frozen):
    """Call a Python function with the object's id."""

    type: Literal["function"] = "function"
    name: str = ""  # for people
    reference: Text = None  # "module:qualname"; None: only the process that declared it can call it


Action = TaskAction | FunctionAction


class Policy(Frozen):
    """When a match is granted a firing, and when a firing is launched."""

    single_instance: Flag = False
    overlap: Annotated[Literal["skip", "queue", "latest"], one_of("skip", "queue", "latest")] = "skip"
    fire: Annotated[Literal["once", "on_transition", "while_true"], one_of("once", "on_transition", "while_true")] = (
        "once"
    )
    cooldown_minutes: Minutes = 0.0
    max_per_minute: Rate = None  # None: the limit of the settings; 0: no limit

    @model_validator(mode="after")
    def _each_part_has_an_effect(self) -> Policy:
        if self.overlap != "skip" and not self.single_instance:
            raise wrong("has an effect with single_instance=True only", "overlap", self.overlap)
        if self.cooldown_minutes and self.fire != "while_true":
            raise wrong("has an effect with fire='while_true' only", "cooldown_minutes", self.cooldown_minutes)
        return self


#: The argument behind each field whose name differs from it.
ARGUMENTS: Final = {
    "base_task_id": "schedule_task_id",
    "query": "schedule_task_query",
    "queue": "schedule_queue",
    "tag": "add_tag",
    "parameters": "task_parameters",
    "overrides": "task_overrides",
    "reference": "schedule_function",
    "project_id": "trigger_project",
}
