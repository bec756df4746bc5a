"""Validation at registration: an error names trigger, argument, value, and fix."""

from __future__ import annotations

import enum
import json
import math

import pytest

from triggers.actions.clearml_task import TaskAction
from triggers.actions.python_function import FunctionAction
from triggers.base.errors import InvalidTrigger, Newer
from triggers.model import Trigger, make_trigger

BASE = {"type": "task", "base_task_id": "base", "queue": "q"}
METRIC = {"trigger_on_metric": "m", "trigger_on_variant": "v", "trigger_on_threshold": 1}


@pytest.mark.parametrize(
    ("kind", "fields", "argument", "way_out"),
    [
        ("task", {"trigger_project": 3}, "trigger_project", "give a string"),
        ("task", {"trigger_name": b"x"}, "trigger_name", "give a string"),
        ("task", {"trigger_name": "["}, "trigger_name", "re.escape"),
        ("task", {"trigger_on_tags": "prod"}, "trigger_on_tags", "list of strings"),
        ("task", {"trigger_on_tags": [1]}, "trigger_on_tags", "list of strings"),
        ("task", {"trigger_required_tags": [""]}, "trigger_required_tags", "list of strings"),
        ("task", {"trigger_on_tags": ["-old"]}, "trigger_on_tags", "trigger_exclude_tags"),
        ("task", {"trigger_on_tags": ["__$any", "a"]}, "trigger_on_tags", "trigger_on_any_tags"),
        ("task", {"trigger_exclude_tags": {"a": 1}}, "trigger_exclude_tags", "list of strings"),
        ("task", {"trigger_on_status": "failed"}, "trigger_on_status", "['failed', 'published']"),
        ("task", {"trigger_on_status": ["failed", "flying"]}, "trigger_on_status", "unknown status 'flying'"),
        ("task", {"trigger_on_publish": "yes"}, "trigger_on_publish", "True, False or None"),
        ("task", {"trigger_exclude_dev_tasks": 1}, "trigger_exclude_dev_tasks", "True, False or None"),
        ("task", {"trigger_on_metric": "m"}, "trigger_on_variant", "give all three of"),
        ("task", {**METRIC, "trigger_on_threshold": None}, "trigger_on_threshold", "give all three of"),
        ("task", {**METRIC, "trigger_on_metric": ""}, "trigger_on_metric", "give all three of"),
        ("task", {**METRIC, "trigger_on_threshold": "0.5"}, "trigger_on_threshold", "give a number"),
        ("task", {**METRIC, "trigger_on_threshold": True}, "trigger_on_threshold", "give a number"),
        ("task", {**METRIC, "trigger_on_threshold": math.nan}, "trigger_on_threshold", "NaN"),
        ("task", {**METRIC, "trigger_on_threshold": 10**400}, "trigger_on_threshold", "too large"),
        ("task", {**METRIC, "trigger_on_sign": "MAX"}, "trigger_on_sign", "'max', 'maximum'"),
        ("task", {**METRIC, "trigger_on_sign": "last"}, "trigger_on_direction", "'above' or 'below'"),
        (
            "task",
            {**METRIC, "trigger_on_direction": "above"},
            "trigger_on_direction",
            "requires trigger_on_sign='last'",
        ),
        ("task", {**METRIC, "trigger_on_sign": "last", "trigger_on_direction": "up"}, "trigger_on_direction", "above"),
        ("task", {"trigger_on_sign": "max"}, "trigger_on_sign", "trigger_on_variant, trigger_on_threshold"),
        ("model", {"trigger_on_status": ["failed"]}, "trigger_on_status", "unknown here"),
        ("task", {"policy": {"fire": "twice"}}, "fire", "'once', 'on_transition', 'while_true'"),
        ("task", {"policy": {"overlap": "queue"}}, "overlap", "single_instance=True"),
        ("task", {"policy": {"cooldown_minutes": 5}}, "cooldown_minutes", "fire='while_true'"),
        ("task", {"policy": {"fire": "while_true", "cooldown_minutes": -1}}, "cooldown_minutes", "0 or more"),
        ("task", {"policy": {"fire": "while_true", "cooldown_minutes": math.inf}}, "cooldown_minutes", "0 or more"),
        ("task", {"policy": {"max_per_minute": 1.5}}, "max_per_minute", "whole number"),
        ("task", {"policy": {"max_per_minute": -1}}, "max_per_minute", "whole number"),
        ("task", {"policy": {"single_instance": "no"}}, "single_instance", "True, False"),
        ("task", {"provenance": "no"}, "provenance", "True, False"),
        ("task", {"action": {**BASE, "queue": None}}, "schedule_queue", "queue"),
        ("task", {"action": {**BASE, "base_task_id": None}}, "schedule_task_id", "schedule_task_query"),
        ("task", {"action": {**BASE, "query": {"name": "x"}}}, "schedule_task_id", "either"),
        ("task", {"action": {"type": "task", "queue": "q", "query": {}}}, "schedule_task_query", "at least one"),
        ("task", {"action": {"type": "task", "queue": "q", "query": {"nmae": "x"}}}, "schedule_task_query", "'nmae'"),
        ("task", {"action": {"type": "task", "queue": "q", "query": {"tags": "x"}}}, "schedule_task_query", "list"),
        ("task", {"action": {**BASE, "parameters": [1]}}, "task_parameters", "dictionary"),
        ("task", {"action": {**BASE, "parameters": {1: 2}}}, "task_parameters", "keys must be non-empty strings"),
        ("task", {"action": {**BASE, "parameters": {"a": object()}}}, "task_parameters", "object is none of these"),
        ("task", {"action": {**BASE, "parameters": {"a": "${model.id}"}}}, "task_parameters", "${task.id} only"),
        ("task", {"action": {**BASE, "parameters": {"a": [{"b": "${x}"}]}}}, "task_parameters", "unknown ${x}"),
        ("dataset", {"action": {**BASE, "overrides": {"A/b": "${task.name}"}}}, "task_overrides", "${dataset.id} only"),
        ("task", {"action": {**BASE, "overrides": {"status": "x"}}}, "task_overrides", "script.<field>"),
        ("task", {"action": {**BASE, "overrides": {"lr": 1}}}, "task_overrides", "Section/name"),
        ("task", {"action": {**BASE, "overrides": {"script.brunch": "x"}}}, "task_overrides", "script.<field>"),
        ("task", {"action": {**BASE, "overrides": {"system_tags": ["x"]}}}, "task_overrides", "a key is"),
        ("task", {"action": {**BASE, "overrides": {"script.branch": 1}}}, "task_overrides", "string or None"),
        ("task", {"action": {**BASE, "overrides": {"name": "ab"}}}, "task_overrides", "3 characters"),
        ("task", {"action": {**BASE, "overrides": {"type": "sport"}}}, "task_overrides", "training"),
        ("task", {"action": {**BASE, "reuse_task": True, "parameters": {"a": 1}}}, "task_parameters", "reuse_task"),
        ("task", {"action": {**BASE, "reuse_task": True, "overrides": {"A/a": 1}}}, "task_overrides", "reuse_task"),
        (
            "task",
            {"action": {"type": "task", "queue": "q", "query": {"name": "x"}, "reuse_task": True}},
            "reuse_task",
            "schedule_task_id",
        ),
    ],
)
def test_invalid_fields_are_named_with_a_fix(kind, fields, argument, way_out):
    with pytest.raises(ValueError) as caught:
        make_trigger(kind, **{"name": "my trigger", "action": BASE, **fields})
    assert isinstance(caught.value, InvalidTrigger)
    assert (caught.value.trigger, caught.value.argument) == ("my trigger", argument)
    assert way_out in str(caught.value)
    assert f"{argument}=" in str(caught.value)


@pytest.mark.parametrize("name", [None, "", 3])
def test_a_name_is_needed(name):
    with pytest.raises(InvalidTrigger, match="give the trigger a name"):
        make_trigger("task", name=name, action=BASE)


class Mode(enum.Enum):
    fast = 1


class Status(enum.Enum):
    failed = "failed"


def test_values_are_brought_into_one_form(make):
    action = {**BASE, "parameters": {"a": (1, "x"), "m": Mode.fast, "d": {1: None}}}
    trigger = make(
        "task", trigger_on_status=[Status.failed], trigger_on_tags={"b", "a"}, trigger_required_tags=[], action=action
    )
    assert trigger.trigger_on_status == ("failed",)
    assert trigger.trigger_on_tags == ("a", "b")
    assert trigger.trigger_required_tags == ()
    assert trigger.action.parameters == {"a": [1, "x"], "m": "fast", "d": {"1": None}}


def test_signs_have_one_spelling(make):
    assert [make("task", **METRIC, trigger_on_sign=s).sign for s in ("max", "maximum", "min", "minimum", None)] == [
        "max", "max", "min", "min", "min",
    ]  # fmt: skip


def test_json_is_canonical_and_read_back(make):
    one = make(
        "task", trigger_on_tags=["a"], trigger_on_status=["failed"], action={**BASE, "parameters": {"b": 1, "a": 2}}
    )
    two = make(
        "task", trigger_on_status=["failed"], trigger_on_tags=["a"], action={**BASE, "parameters": {"a": 2, "b": 1}}
    )
    assert one.to_json() == two.to_json()
    assert one.digest == two.digest
    assert Trigger.from_json(one.to_json()) == one
    assert json.loads(make("model").to_json()) == {
        "v": 1,
        "kind": "model",
        "name": "t",
        "action": {"type": "task", "base_task_id": "base", "queue": "q"},
    }


def test_digest_differs_after_an_edit_and_id_does_not(make):
    one, two = make("task", trigger_on_tags=["a"]), make("task", trigger_on_tags=["b"])
    assert one.digest != two.digest
    assert one.id == two.id == "task:t"


def test_from_json_refuses_another_version():
    with pytest.raises(Newer, match="run the release that wrote it"):
        Trigger.from_json('{"v":9,"kind":"task","name":"t"}')


def test_from_json_reads_functions(make):
    trigger = make("model", action=FunctionAction(name="f", reference="m:f"))
    assert Trigger.from_json(trigger.to_json()) == trigger


def test_unknown_kind_is_refused():
    with pytest.raises(InvalidTrigger, match="one of model, dataset, task"):
        make_trigger("queue", name="x", action=TaskAction(base_task_id="b", queue="q"))


def test_triggers_cannot_be_changed(make):
    with pytest.raises(ValueError, match="frozen"):
        make("task").name = "other"
