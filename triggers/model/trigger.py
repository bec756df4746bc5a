"""The kinds of trigger: condition, action and policy as one validated, immutable value."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property, lru_cache
from typing import Annotated, Any, ClassVar, Final, Literal

from pydantic import BeforeValidator, Field, SerializeAsAny, ValidationError, model_validator

from triggers.base.errors import InvalidTrigger
from triggers.base.formats import check_version, lowest, reading
from triggers.base.meant import meant
from triggers.model.action import DeclaredAction, argument_of, read_action, read_actions
from triggers.model.fields import Conditions, DatasetConditions
from triggers.model.frozen import built
from triggers.model.kinds import Kind, named_as, noun_of, one_of_them
from triggers.model.parts import LISTS, all_parts, list_of, shown
from triggers.model.policy import Policy
from triggers.model.schedule_fields import ScheduleConditions
from triggers.model.task_fields import TaskConditions
from triggers.model.unfit import unfit_of
from triggers.model.values import Flag, Name, Since, Text, since_of, wrong

#: The version of triggers that brought schedules.
SCHEDULES_SINCE: Final = 4
_WITHOUT_LAUNCH: Final = "give schedule_task_id, or leave out on='launched' and ${launched.…}"


def slot_of_reused(task_id: str) -> str:
    """Name the slot of a ClearML task that is run itself, by whichever triggers."""
    return f"task:{task_id}"


#: Actions beside the first one, or for another occasion.
Actions = Annotated[tuple[SerializeAsAny[DeclaredAction], ...], BeforeValidator(read_actions)]


class Trigger(Conditions):
    """What the user registered. The fields of the condition are those of its kind, see `fields`."""

    kind: Kind
    name: Annotated[
        Name,
        Field(
            description="Name of the trigger, unique among the triggers of its kind; a trigger keeps its history under "
            "its name. If omitted, the id of the base task; required without `schedule_task_id`."
        ),
    ]
    action: Annotated[SerializeAsAny[DeclaredAction], BeforeValidator(read_action)]
    policy: Policy = Policy()
    #: Fields of the policy that have no meaning for triggers of this kind.
    NO_POLICY: ClassVar[tuple[str, ...]] = ()

    provenance: Annotated[
        Flag,
        Field(
            description="Record in the launched ClearML task, in its configuration object 'trigger', what launched it."
        ),
    ] = True
    owner: Annotated[
        Text,
        Field(description="Whom notices of dead letters and holds name, such as '@ann' or 'ann@example.com'."),
    ] = None

    actions: Annotated[
        Actions,
        Since(3),
        Field(
            description="Further actions of a firing, such as Webhook, Notify or Tag from `triggers.actions`, each "
            "carried out and retried apart from the others. Without `schedule_task_id`, `schedule_task_query` and "
            "`schedule_function`, they are all that the trigger does."
        ),
    ] = ()
    on_failed: Annotated[
        Actions,
        Since(3),
        Field(
            description="Actions to carry out when an action of a firing has failed for the last time and is a dead "
            "letter."
        ),
    ] = ()
    on_resolved: Annotated[
        Actions,
        Since(3),
        Field(
            description="Actions to carry out when the condition has become false again after a firing. Requires "
            "fire='on_transition'."
        ),
    ] = ()

    @property
    def id(self) -> str:
        """Identity among the triggers of a scheduler; survives edits."""
        return f"{self.kind}:{self.name}"

    @property
    def called(self) -> str:
        """What texts call it: "trigger 'on failure'", "schedule 'nightly'"."""
        return f"{noun_of(self.kind)} {self.name!r}"

    @property
    def slot(self) -> str:
        """The slot that a launch needs: the base task's when it is reused, else the trigger's; "" for none."""
        if self.action.runs_itself:
            return slot_of_reused(self.action.runs_itself)
        return self.id if self.policy.single_instance else ""

    @cached_property
    def sees_own_edits(self) -> bool:
        """Whether an action of it edits the object that fires it: for a firing, or because a person tries it."""
        return any(action.edits_object for _, action in all_parts(self))

    @cached_property
    def digest(self) -> str:
        """SHA-1 of the canonical text: differs after any edit, equal in every process and release."""
        return hashlib.sha1(self.to_json().encode(), usedforsecurity=False).hexdigest()

    def to_json(self) -> str:
        """Write the canonical text: sorted keys, what is default left out."""
        body = self.model_dump(exclude_defaults=True)
        body |= {"v": self._version(), "kind": self.kind}
        body["action"]["type"] = self.action.type
        body |= {name: [each.form() for each in getattr(self, name)] for name in LISTS if getattr(self, name)}
        return json.dumps(body, sort_keys=True, separators=(",", ":"))

    def _version(self) -> int:
        """The earliest version of triggers that has all the fields which say something."""
        return max(lowest("trigger"), since_of(self), self.policy.version)

    @staticmethod
    def from_json(text: str | bytes) -> Trigger:
        """Read what `to_json` wrote.

        Raises:
            Newer: the text is of a later version than this program knows.
            Unreadable: it is not a trigger.
        """
        with reading("trigger"):
            body = json.loads(text)
            check_version("trigger", body.pop("v", None))
            if isinstance(body.get("action"), dict):
                body["action"] = _stored_action(json.dumps(body["action"]))
            return make_trigger(body.pop("kind"), **body)

    @model_validator(mode="after")
    def _actions_go_with_the_rest(self) -> Trigger:
        for part, action in all_parts(self):
            action.check_for(self.kind, list_of(part))
            if action.after_launch and (not part or list_of(part) == "on_failed" or not self.action.launches):
                way_out = "leave it out" if list_of(part) == "on_failed" else _WITHOUT_LAUNCH
                raise wrong(f"it waits for a launched ClearML task: {way_out}", list_of(part), action.type)
        if self.on_resolved and self.policy.fire != "on_transition":
            never = f"a {self.kind} is never resolved; leave it out" if "fire" in self.NO_POLICY else ""
            way_out = never or "requires fire='on_transition'"
            raise wrong(way_out, "on_resolved", [each.type for each in self.on_resolved])
        if self.policy.overlap == "cancel_previous" and not (self.action.base_task or self.action.clones):
            raise wrong("a function cannot be aborted: give a ClearML task", "overlap", self.policy.overlap)
        for name in self.NO_POLICY:
            if (value := getattr(self.policy, name)) != Policy.model_fields[name].get_default():
                raise wrong(f"has no meaning for a {self.kind}; leave it out", name, value)
        return self


class ModelTrigger(Trigger):
    """Fires on models."""

    kind: Literal["model"] = "model"


class DatasetTrigger(DatasetConditions, Trigger):
    """Fires on dataset versions."""

    kind: Literal["dataset"] = "dataset"


class TaskTrigger(TaskConditions, Trigger):
    """Fires on ClearML tasks."""

    kind: Literal["task"] = "task"


class ScheduleTrigger(ScheduleConditions, Trigger):
    """Fires at times; its conditions say which."""

    kind: Annotated[Literal["schedule"], Since(SCHEDULES_SINCE)] = "schedule"

    #: There is one firing for each time.
    NO_POLICY = ("fire", "cooldown_minutes")

    def _version(self) -> int:
        return max(SCHEDULES_SINCE, super()._version())


#: The class of each kind.
CLASSES: Final[dict[Kind, type[Trigger]]] = {
    one.model_fields["kind"].default: one for one in (ModelTrigger, DatasetTrigger, TaskTrigger, ScheduleTrigger)
}


#: Fields of all triggers that are neither of the condition nor of the policy, and are written as they are.
PLAIN_FIELDS: Final = tuple(
    name
    for name in Trigger.model_fields
    if name not in Conditions.model_fields and name not in ("kind", "name", "action", "policy")
)


def policy_of(kind: Kind) -> tuple[str, ...]:
    """Give the fields of the policy that triggers of a kind have."""
    return tuple(name for name in Policy.model_fields if name not in CLASSES[kind].NO_POLICY)


@lru_cache(maxsize=1_000)
def _stored_action(text: str) -> Any:
    """Read a stored action, which never changes: many triggers of a large registry launch the same, and share it.

    Validating the trigger reports what is wrong with it.
    """
    fields = json.loads(text)
    try:
        return read_action(fields)
    except ValueError:
        return fields


def make_trigger(kind: Kind, **fields: Any) -> Trigger:
    """Validate the fields of a trigger; parts may be given as values or as dictionaries.

    Raises:
        InvalidTrigger: names the trigger, the argument, its value, and what to give instead.
    """
    name = fields.get("name")
    if kind not in CLASSES:
        raise InvalidTrigger(str(name), "kind", kind, one_of_them(kind))
    with named_as(kind), invalid_trigger_of(name):
        return built(CLASSES[kind])(**fields)


def check_new(trigger: Trigger, before: Trigger | None = None) -> None:
    """Refuse what a new trigger may not have. Those that were stored with such before are still read.

    Args:
        trigger: new, or as it was edited.
        before: as it is registered; one that has such already may keep it.

    Raises:
        InvalidTrigger: characters in its name that cannot be shown; a name or a list of tags that is too long; a secret
            in clear.
    """
    with named_as(trigger.kind):
        if (found := unfit_of(trigger)) and not (before and unfit_of(before)):
            raise found


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
            way_out = f"{first['loc'][-1]!r} is unknown here; leave it out{_meant_field(first['loc'][-1])}"
        raise InvalidTrigger(
            name if isinstance(name, str) and name else "(without a name)",
            argument,
            context["value"] if "argument" in context else shown(argument, first["input"]),
            way_out,
        ) from error


def _meant_field(field: object) -> str:
    """The field that an unknown one is most like, of triggers of any kind and of policies."""
    return meant(field, {*Policy.model_fields, *(name for one in CLASSES.values() for name in one.model_fields)})


def _argument_at(location: tuple[int | str, ...]) -> str:
    if "query" in location:
        return argument_of("query")
    field = next((part for part in reversed(location) if isinstance(part, str)), "trigger")
    return argument_of(field)
