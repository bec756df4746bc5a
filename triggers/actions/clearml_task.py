"""The action that launches a ClearML task: a clone of a base task, or the base task itself, put into a queue."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from triggers.actions.action import Action
from triggers.actions.overrides import parse_key, problem_of
from triggers.actions.placeholders import references, unknown_placeholder
from triggers.actions.task_query import BaseTaskQuery
from triggers.base.errors import InvalidTrigger
from triggers.model.action import ACTIONS, Lane, Need, unknown_console_line
from triggers.model.kinds import Kind, phrase_of
from triggers.model.values import Flag, Project, Text, Values, wrong

if TYPE_CHECKING:
    from triggers.actions.attempt import Attempt


class TaskAction(Action):
    """Clone a ClearML task (or reuse it) and put it into a queue."""

    type: Literal["task"] = "task"
    base_task_id: Annotated[
        Text,
        Field(
            description="ClearML task to clone, as an id or a `clearml.Task`. Give exactly one of `schedule_task_id`, "
            "`schedule_task_query`, and `schedule_function`."
        ),
    ] = None
    query: Annotated[
        BaseTaskQuery | None,
        Field(
            description="Query for the ClearML task to clone, resolved at each firing to the newest match: at least "
            "one of 'project', 'name' (both exact), and 'tags' (all present). The project and name of a pipeline mean "
            "its newest run."
        ),
    ] = None
    queue: Annotated[
        Text, Field(description="Name or id of the queue to enqueue the ClearML task in. Required with a task.")
    ] = None
    target_project: Annotated[
        Project,
        Field(
            description="Project of the launched ClearML task, created if it is missing. If omitted, the project of "
            "the base task."
        ),
    ] = None
    tag: Annotated[
        Text,
        Field(description="Tag of the launched ClearML task. True means the name of the trigger, False no tag."),
    ] = None
    reuse_task: Annotated[
        Flag,
        Field(
            description="Run the base task itself each time instead of a clone. Requires `schedule_task_id`; cannot be "
            "combined with `task_parameters` or `task_overrides`."
        ),
    ] = False
    parameters: Annotated[
        Values,
        Field(
            description="Hyperparameters of the launched ClearML task, as {'Section/name': value}, merged into those "
            "of the base task. '${kind.id}' in a value becomes the id of the object; '$${' is a literal '${'."
        ),
    ] = {}  # noqa: RUF012 (a field: copied)
    overrides: Annotated[
        Values,
        Field(
            description="Other parts of the launched ClearML task, such as {'script.branch': 'main', "
            "'container.image': 'python:3.12', 'Args/lr': 0.1}; `triggers.actions.overrides` lists the keys. "
            "'${kind.id}' as in `task_parameters`."
        ),
    ] = {}  # noqa: RUF012

    SINCE = 1
    WAYS = ("schedule_task_id", "schedule_task_query")
    KEYS = ("schedule_task_query",)
    ORIGINAL_KEYS = ("base_task_id",)
    ARGUMENTS = {  # noqa: RUF012 (a mapping of the class, as its base says)
        "base_task_id": "schedule_task_id",
        "query": "schedule_task_query",
        "queue": "schedule_queue",
        "tag": "add_tag",
        "parameters": "task_parameters",
        "overrides": "task_overrides",
    }

    @field_validator("overrides")
    @classmethod
    def _overrides_name_parts_of_a_task(cls, overrides: dict[str, Any]) -> dict[str, Any]:
        for key, value in overrides.items():
            try:
                problem = problem_of(parse_key(key), value)
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
        for argument, values in (("task_parameters", self.parameters), ("task_overrides", self.overrides)):
            if values:
                raise wrong("not available with reuse_task=True: leave one of the two out", argument, values)

    def check_for(self, kind: Kind, argument: str = ACTIONS) -> None:
        """Refuse references that a trigger of this kind cannot fill."""
        for own, values in (("task_parameters", self.parameters), ("task_overrides", self.overrides)):
            if unknown := unknown_placeholder(values, kind):
                known = f"a {phrase_of(kind)} knows {' and '.join(f'${{{name}}}' for name in references(kind))} only"
                raise wrong(f"unknown {unknown}: {known}; write $${{...}} for a literal ${{...}}", own, values)

    # -- what depends on it elsewhere
    @property
    def lane(self) -> Lane:
        """Dispatch workers launch."""
        return "dispatch"

    @property
    def launches(self) -> bool:
        """It is what launches."""
        return True

    @property
    def runs_itself(self) -> str:
        """The ClearML task that is run itself; "" for none."""
        return str(self.base_task_id) if self.reuse_task else ""

    @property
    def base_task(self) -> str:
        """The base task; "" where a query finds it."""
        return self.base_task_id or ""

    @property
    def clones(self) -> bool:
        """Whether launches are ClearML tasks of their own."""
        return not self.reuse_task

    def needs(self) -> list[Need]:
        """Base task, queue and project."""
        given = [
            Need("base task", "schedule_task_id", self.base_task_id or ""),
            Need("queue", "schedule_queue", self.queue or ""),
            Need("project", "target_project", self.target_project or ""),
        ]
        return [need for need in given if need.name]

    # -- how it is declared and written
    @classmethod
    def name_in(cls, arguments: Mapping[str, Any]) -> str:
        """The id of the base task, given as such or as an object of the SDK's class Task."""
        base = arguments["schedule_task_id"]
        if base is None or base == "":
            return ""
        base_id = base if isinstance(base, str) else getattr(base, "id", None)
        if not isinstance(base_id, str) or not base_id:
            name = str(arguments["name"] or "(without a name)")
            raise InvalidTrigger(name, "schedule_task_id", base, "give a task's id or a Task")
        return base_id

    @classmethod
    def from_arguments(cls, name: str, arguments: Mapping[str, Any], *, in_file: bool) -> dict[str, Any]:  # noqa: ARG003
        """Read the arguments about the ClearML task to launch."""
        if arguments["function_workers"]:
            raise InvalidTrigger(name, "function_workers", True, "requires schedule_function")
        query = arguments["schedule_task_query"]
        return {
            "type": "task",
            "base_task_id": cls.name_in(arguments) or None,
            "query": dict(query) if isinstance(query, Mapping) else query,
            "queue": arguments["schedule_queue"],
            "target_project": arguments["target_project"],
            "tag": _tag(name, arguments["add_tag"]),
            "reuse_task": arguments["reuse_task"],
            "parameters": arguments["task_parameters"],
            "overrides": arguments["task_overrides"],
        }

    def to_arguments(self, name: str) -> dict[str, Any]:
        """The arguments of an `add_*` call that declare it."""
        return {
            "schedule_task_id": self.base_task_id,
            "schedule_task_query": self._query_form(),
            "schedule_queue": self.queue,
            "target_project": self.target_project,
            "add_tag": True if self.tag == name else self.tag or False,
            "reuse_task": self.reuse_task,
            "task_parameters": dict(self.parameters),
            "task_overrides": dict(self.overrides),
        }

    @classmethod
    def from_original(cls, item: Mapping[str, Any]) -> dict[str, Any] | None:
        """Read the keys of the original's item, which names a base task; a query is ours."""
        query = item.get("schedule_task_query")
        if not item.get("base_task_id") and query is None:
            return None
        return {
            "type": "task",
            "base_task_id": item.get("base_task_id"),
            "query": query,
            "queue": item.get("queue"),
            "target_project": item.get("target_project"),
            "tag": item.get("add_tag"),
            "reuse_task": item.get("clone_task") is False,
            "parameters": item.get("task_parameters"),
            "overrides": item.get("task_overrides"),
        }

    def to_original(self) -> dict[str, Any]:
        """Its keys in the original's item."""
        query = {"schedule_task_query": self._query_form()} if self.query else {}
        return {
            "base_task_id": self.base_task_id,
            "queue": self.queue,
            "target_project": self.target_project,
            "task_parameters": self.parameters or None,
            "task_overrides": self.overrides or None,
            "clone_task": not self.reuse_task,
            "add_tag": self.tag,
            "base_function": None,
            **query,
        }

    def _query_form(self) -> dict[str, Any] | None:
        return self.query.model_dump(mode="json", exclude_defaults=True) if self.query else None

    # -- how it is shown
    def words(self) -> str:
        """What it does."""
        if self.reuse_task:
            return f"run ClearML task {self.base_task_id} again in queue {self.queue}"
        base = self.query.words() if self.query else f"ClearML task {self.base_task_id}"
        into = f", project {self.target_project}" if self.target_project else ""
        return f"clone {base} into queue {self.queue}{into}"

    def columns(self) -> dict[str, Any]:
        """The query, which the original does not have."""
        return {"query": self.query.cell() if self.query else ""}

    def console_line(self, name: str, task: str) -> str:
        """The original's line."""
        if not task:  # a function was called, before this was edited
            return unknown_console_line(name, task)
        return f"Scheduling Job {name}, Task {task} on queue {self.queue}."

    def launch_of_original(self, kind: Kind, task: Mapping[str, Any]) -> str | None:
        """The object is in a parameter, if any carries it."""
        if not self.base_task_id or self.base_task_id != task.get("parent"):
            return None
        if self.tag and self.tag not in (task.get("tags") or ()):
            return None
        for key, value in self.parameters.items():
            section, _, name = key.partition("/")
            if value == f"${{{kind}.id}}":
                return str((task.get("hyperparams") or {}).get(section, {}).get(name, {}).get("value", ""))
        return ""

    # -- how it is carried out
    def carry_out(self, attempt: Attempt) -> None:
        """Launch one."""
        self.carry_out_each([attempt])

    @classmethod
    def carry_out_each(cls, attempts: Sequence[Attempt]) -> None:
        """Launch several: base tasks are read, and drafts enqueued, for all in one request."""
        from triggers.actions.launching.batch import launch

        launch(attempts)

    def pretend(self, attempt: Attempt) -> None:
        """Look for base task and queue."""
        from triggers.actions.launching.batch import pretend

        pretend(attempt, self)


def _tag(name: str, add_tag: object) -> str | None:
    """The four forms: True is the trigger's name, a string itself, False and None no tag."""
    if add_tag is None or isinstance(add_tag, bool):
        return name if add_tag else None
    if not isinstance(add_tag, str):
        raise InvalidTrigger(name, "add_tag", add_tag, "give a tag, True for the trigger's name, or False")
    return add_tag or None
