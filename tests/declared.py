"""A value that is not the default for every declared field of triggers and events, made from the declarations.

A new field gets one by its type. One of a new type, or one that goes with others only, fails here and says so.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, get_args

from triggers.actions.clearml_task import TaskAction
from triggers.actions.python_function import FunctionAction
from triggers.actions.table import ACTIONS
from triggers.actions.task_query import BaseTaskQuery
from triggers.base.errors import InvalidTrigger
from triggers.model import Policy, Trigger, make_trigger
from triggers.model.events import DECODINGS, Event, decode_model, decode_task
from triggers.model.fields import declared
from triggers.model.parts import LISTS
from triggers.model.schedule_fields import SCHEDULE
from triggers.model.trigger import CLASSES, PLAIN_FIELDS, policy_of
from triggers.model.values import STATUSES

TASK: dict[str, Any] = {"type": "task", "base_task_id": "base", "queue": "q"}
TIME = "2026-01-31T12:00:00.123000+00:00"
#: md5 of "a", as the server names a metric and a variant of that name
A = "0cc175b9c0f1b6a831c399e269772661"

#: Two actions of the kind that lists hold.
LISTED: list[dict[str, Any]] = [{"type": "tag", "add": ["a"]}, {"type": "tag", "remove": ["b"]}]

#: What a field needs beside it, where it counts with others only.
COMPANIONS: dict[str, dict[str, Any]] = {
    "trigger_on_metric": {"trigger_on_variant": "a", "trigger_on_threshold": 1.0},
    "trigger_on_variant": {"trigger_on_metric": "a", "trigger_on_threshold": 1.0},
    "trigger_on_threshold": {"trigger_on_metric": "a", "trigger_on_variant": "a"},
    "trigger_on_sign": {"trigger_on_metric": "a", "trigger_on_variant": "a", "trigger_on_threshold": 1.0},
    "trigger_on_direction": {
        "trigger_on_metric": "a", "trigger_on_variant": "a", "trigger_on_threshold": 1.0, "trigger_on_sign": "last",
    },
    "overlap": {"single_instance": True},
    "cooldown_minutes": {"fire": "while_true"},
    "query": {"base_task_id": None},
    "on_resolved": {"policy": {"fire": "on_transition"}},
    **{name: {"cron": None} for name in ("every", "at", "minute", "hour", "day", "month", "year")},
    "weekdays": {"cron": None, "hour": 7},
}  # fmt: skip
#: Fields that take few of the values of their type.
SPECIAL: dict[str, Any] = {
    "trigger_on_status": ("published",),
    "trigger_on_sign": "max",
    "trigger_on_direction": "above",
    "project_id": "a" * 32,
    "reference": "module:function",
    "overrides": {"script.branch": "a"},
    "parameters": {"Args/a": "a"},
    "query": BaseTaskQuery(name="a", tags=("a",)),
    **dict.fromkeys(LISTS, LISTED),
    "weekdays": ("monday", "friday"),
    "cron": "15 6 * * mon-fri",
    "every": "1h30m",
    "at": "2026-12-24T18:00:00+01:00",
    "until": "2026-12-24T18:00:00",
    "timezone": "Europe/Berlin",
    "exclude": ("2026-12-25", "2026-12-31T12:00:00+01:00/2026-12-31T18:00:00+01:00"),
    "catch_up_window": "6h",
}


def other_value(name: str, annotation: Any, default: Any) -> Any:
    """A value of the field that is not its default."""
    if name in SPECIAL:
        return SPECIAL[name]
    if isinstance(default, bool):
        return not default
    options = get_args(annotation)
    if all(isinstance(option, str) for option in options) and options:  # a Literal
        return next(option for option in options if option != default)
    kinds = {one for one in (annotation, *options) if isinstance(one, type)}
    for kind, value in ((str, "a"), (float, 1.0), (int, 7)):
        if kind in kinds and str(annotation).partition("[")[0] != "tuple":
            return value
    if str(annotation).startswith("tuple[str"):
        return ("a", "b")
    raise AssertionError(f"{name}: no value is known for the type {annotation}: add one to tests/declared.py")


def of_model(model: Any, names: Any) -> dict[str, Any]:
    fields = model.model_fields
    return {
        name: other_value(name, fields[name].annotation, fields[name].get_default(call_default_factory=True))
        for name in names
    }


def triggers() -> Iterator[tuple[str, Trigger]]:
    """For every declared field of every kind a trigger that has it, and says "kind.field"."""
    for kind, cls in CLASSES.items():
        plain = [name for name in PLAIN_FIELDS if name not in LISTS or ("tag" in ACTIONS and kind != SCHEDULE)]
        for name, value in of_model(cls, (*declared(cls), *plain)).items():
            yield f"{kind}.{name}", _made(kind, name, {name: value, "action": TASK, **COMPANIONS.get(name, {})})
        for name, value in of_model(Policy, policy_of(kind)).items():
            fields = {name: value, **COMPANIONS.get(name, {})}
            yield f"{kind}.policy.{name}", _made(kind, name, {"policy": fields, "action": TASK})
        for of in (TaskAction, FunctionAction):
            base = {"type": "function", "name": "module.function"} if of is FunctionAction else TASK
            for name, value in of_model(of, (name for name in of.model_fields if name != "type")).items():
                fields = {**base, name: value, **COMPANIONS.get(name, {})}
                yield f"{kind}.action.{of.__name__}.{name}", _made(kind, name, {"action": fields})


def _made(kind: str, name: str, fields: dict[str, Any]) -> Trigger:
    if kind == SCHEDULE:
        fields = {"cron": "0 * * * *", **fields}
    try:
        return make_trigger(kind, name="t", **fields)  # type: ignore[arg-type]
    except InvalidTrigger as error:
        raise AssertionError(f"{name}: {error}: add what it goes with to COMPANIONS in tests/declared.py") from error


def item(collection: str, kind: str) -> dict[str, Any]:
    """An item of the server in which every part that is read says something."""
    parts: dict[str, Any] = {}
    for decoding in DECODINGS[collection].values():
        if decoding.part == "last_metrics":
            parts["last_metrics"] = {A: {A: {"value": 1.0, "min_value": 1.0, "max_value": 1.0}}}
        elif dict in decoding.types:
            parts[decoding.part] = {"id": "a", "name": "a"}
        elif list in decoding.types:
            parts[decoding.part] = ["a", "b"]
        else:
            parts[decoding.part] = True if bool in decoding.types else "a"
    hidden = "a/.datasets/a" if kind == "dataset" else "a"
    parts |= {"last_change": TIME, "project": {"id": "a" * 32, "name": hidden}}
    parts["system_tags"] = ["archived", "development", *(["dataset"] if kind == "dataset" else [])]
    if "status" in parts:
        assert "published" in STATUSES
        parts["status"] = "published"
    return parts


def event(kind: str) -> Event:
    """An event of that kind in which every field of its collection says something."""
    if kind == SCHEDULE:
        return Event(SCHEDULE, "2026-01-31T12:00:00Z", 1769860800000, name="t", at="2026-01-31T13:00:00+01:00")
    if kind == "model":
        return decode_model(item("models", kind))
    return decode_task(item("tasks", kind))
