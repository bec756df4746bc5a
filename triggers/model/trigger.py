"""The three kinds of trigger: condition, action and policy as one validated, immutable value."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Any, Final, Literal

from pydantic import Field, ValidationError, model_validator

from triggers.bombs import LONGEST_NAME, MOST_TAGS
from triggers.errors import InvalidTrigger
from triggers.escaping import is_safe
from triggers.formats import KNOWN, check_version, reading
from triggers.model.action import ARGUMENTS, Action, Frozen, Policy, TaskAction
from triggers.model.events import Kind, metric_key
from triggers.model.values import Direction, Flag, Name, Pattern, Project, Sign, Statuses, Tags, Text, Threshold, wrong
from triggers.placeholders import unknown_placeholder


def slot_of_reused(task_id: str) -> str:
    """Name the slot of a ClearML task that is run itself, by whichever triggers."""
    return f"task:{task_id}"


class Trigger(Frozen):
    """What the user registered. The fields of the condition are named as the arguments of `add_*`.

    All parts of the condition that are given have to hold.
    """

    kind: Kind
    name: Name
    trigger_project: Project = None  # full name, not recursive
    project_id: Text = None  # where only the id is known: what the original wrote
    trigger_name: Pattern = None
    trigger_on_tags: Tags = ()
    trigger_required_tags: Tags = ()
    trigger_on_any_tags: Tags = ()
    trigger_exclude_tags: Tags = ()
    trigger_on_publish: Flag = False
    trigger_on_archive: Flag = False
    action: Action = Field(discriminator="type")
    policy: Policy = Policy()
    provenance: Flag = True
    owner: Text = None  # who is told in notices

    @property
    def id(self) -> str:
        """Identity among the triggers of a scheduler; survives edits."""
        return f"{self.kind}:{self.name}"

    @property
    def slot(self) -> str:
        """The slot that a launch needs: the base task's when it is reused, else the trigger's; "" for none."""
        if isinstance(self.action, TaskAction) and self.action.reuse_task:
            return slot_of_reused(str(self.action.base_task_id))
        return self.id if self.policy.single_instance else ""

    @cached_property
    def digest(self) -> str:
        """SHA-1 of the canonical text: differs after any edit, equal in every process and release."""
        return hashlib.sha1(self.to_json().encode(), usedforsecurity=False).hexdigest()

    def watched_metrics(self) -> set[str]:
        """Give the keys of the metrics that the condition reads."""
        return set()

    def to_json(self) -> str:
        """Write the canonical text: sorted keys, what is default left out."""
        body = self.model_dump(exclude_defaults=True)
        body |= {"v": KNOWN["trigger"], "kind": self.kind}
        body["action"]["type"] = self.action.type
        return json.dumps(body, sort_keys=True, separators=(",", ":"))

    @staticmethod
    def from_json(text: str | bytes) -> Trigger:
        """Read what `to_json` wrote.

        Raises:
            Newer: the text is of a later version than this program knows.
            Unreadable: it is no trigger.
        """
        with reading("trigger"):
            body = json.loads(text)
            check_version("trigger", body.pop("v", None))
            return make_trigger(body.pop("kind"), **body)

    @model_validator(mode="after")
    def _placeholders_are_known(self) -> Trigger:
        if isinstance(self.action, TaskAction):
            self._check_placeholders("task_parameters", self.action.parameters)
            self._check_placeholders("task_overrides", self.action.overrides)
        return self

    def _check_placeholders(self, argument: str, values: dict[str, Any]) -> None:
        unknown = unknown_placeholder(values, self.kind)
        if unknown:
            known = f"a {self.kind} trigger knows ${{{self.kind}.id}} only"
            raise wrong(f"unknown {unknown}: {known}; write $${{...}} for a literal ${{...}}", argument, values)


class ModelTrigger(Trigger):
    """Fires on models."""

    kind: Literal["model"] = "model"


class DatasetTrigger(Trigger):
    """Fires on dataset versions."""

    kind: Literal["dataset"] = "dataset"


class TaskTrigger(Trigger):
    """Fires on ClearML tasks."""

    kind: Literal["task"] = "task"
    trigger_on_status: Statuses = ()
    trigger_exclude_dev_tasks: Flag = False
    trigger_on_metric: Text = None
    trigger_on_variant: Text = None
    trigger_on_threshold: Threshold = None
    trigger_on_sign: Sign = None  # "max", "min", "last"; None: "min"
    trigger_on_direction: Direction = None  # "above" or "below": of the sign "last"

    @property
    def metric(self) -> str | None:
        """Key of the metric that the condition reads, if it reads one."""
        if self.trigger_on_metric is None or self.trigger_on_variant is None:
            return None
        return metric_key(self.trigger_on_metric, self.trigger_on_variant)

    @property
    def sign(self) -> str:
        """Which summary of the metric is compared: "max", "min" or "last"."""
        return self.trigger_on_sign or "min"

    @property
    def direction(self) -> str:
        """Whether the threshold is to be met from "above" or "below"."""
        return {"max": "above", "min": "below"}.get(self.sign) or self.trigger_on_direction or "below"

    def watched_metrics(self) -> set[str]:
        """Give the keys of the metrics that the condition reads."""
        return {self.metric} if self.metric else set()

    @model_validator(mode="after")
    def _metric_is_complete(self) -> TaskTrigger:
        parts = {
            "trigger_on_metric": self.trigger_on_metric,
            "trigger_on_variant": self.trigger_on_variant,
            "trigger_on_threshold": self.trigger_on_threshold,
        }
        missing = [name for name, value in parts.items() if value is None]
        if len(missing) not in (0, 3):
            raise wrong(f"{', '.join(parts)} go together: give all three or none", missing[0])
        if missing and self.trigger_on_sign:
            raise wrong(f"has an effect with {', '.join(parts)} only", "trigger_on_sign", self.trigger_on_sign)
        last = self.trigger_on_sign == "last"
        if last and not self.trigger_on_direction:
            raise wrong("trigger_on_sign='last' needs 'above' or 'below'", "trigger_on_direction")
        if self.trigger_on_direction and not last:
            way_out = "goes with trigger_on_sign='last' only; 'max' is above, 'min' is below"
            raise wrong(way_out, "trigger_on_direction", self.trigger_on_direction)
        return self


_CLASSES: Final[dict[str, type[Trigger]]] = {
    "model": ModelTrigger,
    "dataset": DatasetTrigger,
    "task": TaskTrigger,
}


def make_trigger(kind: Kind, **fields: Any) -> Trigger:
    """Validate the fields of a trigger; parts may be given as values or as dictionaries.

    Raises:
        InvalidTrigger: names the trigger, the argument, its value and the way out.
    """
    name = fields.get("name")
    if kind not in _CLASSES:
        raise InvalidTrigger(str(name), "kind", kind, "one of 'model', 'dataset', 'task'")
    with invalid_trigger_of(name):
        return _CLASSES[kind](**fields)


def check_new(trigger: Trigger) -> None:
    """Refuse what a new trigger may not have. Those that were stored with it before are still read.

    Raises:
        InvalidTrigger: characters in its name that cannot be shown; a name or a list of tags that is too long.
    """
    name = trigger.name
    if not is_safe(name):
        way_out = "leave out line breaks, control characters and marks that nobody sees or that turn the text around"
        raise InvalidTrigger(name, "name", name, way_out)
    if len(name) > LONGEST_NAME:
        raise InvalidTrigger(name[:40] + "...", "name", name, f"at most {LONGEST_NAME} characters")
    for field in type(trigger).model_fields:
        tags = getattr(trigger, field)
        if isinstance(tags, tuple) and len(tags) > MOST_TAGS:
            raise InvalidTrigger(name, field, tags[:3], f"{len(tags):,} are given; at most {MOST_TAGS:,} can be")


@contextmanager
def invalid_trigger_of(name: object) -> Iterator[None]:
    """Turn the first error of a validation into InvalidTrigger."""
    try:
        yield
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        context = first.get("ctx", {})
        argument = context.get("argument") or _argument_at(first["loc"])
        way_out = context.get("way_out") or first["msg"]
        if first["type"] == "extra_forbidden":
            way_out = f"{first['loc'][-1]!r} is unknown here; leave it out"
        raise InvalidTrigger(
            name if isinstance(name, str) and name else "(without a name)",
            argument,
            context["value"] if "argument" in context else first["input"],
            way_out,
        ) from error


def _argument_at(location: tuple[int | str, ...]) -> str:
    if "query" in location:
        return ARGUMENTS["query"]
    field = next((part for part in reversed(location) if isinstance(part, str)), "trigger")
    return ARGUMENTS.get(field, field)
