"""TriggerScheduler: signatures, names, actions and errors of the add_* calls."""

from __future__ import annotations

import inspect
import json
import subprocess
import sys

import pytest
from clearml.automation import TriggerScheduler as Original
from clearml.automation import trigger as sdk

from triggers import TriggerScheduler
from triggers.actions.python_function import FunctionAction
from triggers.base.errors import InvalidTrigger, Usage

KINDS = ("model", "dataset", "task")


@pytest.fixture
def scheduler():
    return TriggerScheduler()


def add(scheduler, kind, *args, **kwargs):
    return getattr(scheduler, f"add_{kind}_trigger")(*args, **kwargs)


@pytest.mark.parametrize("name", ["__init__", *(f"add_{kind}_trigger" for kind in KINDS)])
def test_signature_begins_with_the_originals_and_adds_by_keyword_only(name):
    theirs = [p.name for p in inspect.signature(getattr(Original, name)).parameters.values()]
    ours = list(inspect.signature(getattr(TriggerScheduler, name)).parameters.values())
    assert [p.name for p in ours[: len(theirs)]] == theirs
    assert {p.kind for p in ours[len(theirs) :]} == {inspect.Parameter.KEYWORD_ONLY}


@pytest.mark.parametrize("name", [f"add_{kind}_trigger" for kind in KINDS])
def test_defaults_are_the_originals(name):
    ours = inspect.signature(getattr(TriggerScheduler, name)).parameters
    for parameter in inspect.signature(getattr(Original, name)).parameters.values():
        assert ours[parameter.name].default == parameter.default


@pytest.mark.parametrize("kind", KINDS)
def test_add_returns_true(scheduler, kind):
    assert add(scheduler, kind, "b", "q") is True


def test_arguments_become_the_spec(scheduler):
    scheduler.add_task_trigger(
        "b", "q", None, "P", "^n", ["a"], ["failed"], True, "m", "v", 0, "max", ["r"], "mine", "T", "tag",
        True, False, {"Args/x": 1}, {"script.branch": "main"},
        trigger_on_any_tags=["y"], trigger_exclude_tags=["z"], fire="while_true", cooldown_minutes=5,
        overlap="latest", max_per_minute=0, provenance=False,
    )  # fmt: skip
    trigger = scheduler.declarations[0].trigger
    body = json.loads(trigger.to_json())
    assert body == {
        "v": 1,
        "kind": "task",
        "name": "mine",
        "trigger_project": "P",
        "trigger_name": "^n",
        "trigger_on_tags": ["a"],
        "trigger_required_tags": ["r"],
        "trigger_on_any_tags": ["y"],
        "trigger_exclude_tags": ["z"],
        "trigger_on_status": ["failed"],
        "trigger_exclude_dev_tasks": True,
        "trigger_on_metric": "m",
        "trigger_on_variant": "v",
        "trigger_on_threshold": 0.0,
        "trigger_on_sign": "max",
        "provenance": False,
        "action": {
            "type": "task",
            "base_task_id": "b",
            "queue": "q",
            "target_project": "T",
            "tag": "tag",
            "parameters": {"Args/x": 1},
            "overrides": {"script.branch": "main"},
        },
        "policy": {
            "single_instance": True,
            "fire": "while_true",
            "cooldown_minutes": 5.0,
            "overlap": "latest",
            "max_per_minute": 0,
        },
    }


class Task:
    """Stands for the SDK's: only its id is read."""

    id = "b"


def test_task_object_counts_by_its_id_and_names_the_trigger(scheduler):
    scheduler.add_model_trigger(schedule_task_id=Task(), schedule_queue="q")
    trigger = scheduler.declarations[0].trigger
    assert (trigger.name, trigger.action.base_task_id, trigger.action.tag) == ("b", "b", "b")


def test_names_not_given_are_the_task_id_with_a_suffix_when_taken(scheduler):
    for _ in range(3):
        scheduler.add_model_trigger("b", "q")
    scheduler.add_task_trigger("b", "q")  # names are those of a kind
    assert [d.trigger.id for d in scheduler.declarations] == ["model:b", "model:b-2", "model:b-3", "task:b"]


def test_names_given_twice_name_both(scheduler):
    scheduler.add_model_trigger("b", "q", name="x")
    with pytest.raises(InvalidTrigger) as caught:
        scheduler.add_model_trigger("c", "q", name="x")
    assert str(caught.value).count("test_declared_triggers.py:") == 2
    assert len(scheduler.declarations) == 1


@pytest.mark.parametrize(("add_tag", "tag"), [(True, "x"), (False, None), ("own", "own"), (None, None), ("", None)])
def test_add_tag_in_its_forms(scheduler, add_tag, tag):
    scheduler.add_dataset_trigger("b", "q", name="x", add_tag=add_tag)
    assert scheduler.declarations[0].trigger.action.tag == tag


def test_query_stands_for_the_base_task(scheduler):
    query = {"project": "P", "name": "train", "tags": ["best"]}
    scheduler.add_task_trigger(schedule_task_query=query, schedule_queue="q", name="x")
    assert scheduler.declarations[0].trigger.action.query.model_dump() == {**query, "tags": ("best",)}


def test_function_is_kept_for_the_process_that_declared_it(scheduler):
    def function(object_id):
        return object_id

    scheduler.add_model_trigger(schedule_function=function, name="x")
    declared = scheduler.declarations[0]
    assert declared.function is function
    assert declared.trigger.action == FunctionAction(
        name=f"{__name__}.test_function_is_kept_for_the_process_that_declared_it.<locals>.function"
    )


def test_function_for_workers_is_named_by_reference(scheduler):
    scheduler.add_model_trigger(schedule_function=json.dumps, name="x", function_workers=True)
    assert scheduler.declarations[0].trigger.action.reference == "json:dumps"


@pytest.mark.parametrize(
    ("arguments", "argument", "way_out"),
    [
        ({}, "schedule_task_id", "give one of"),
        ({"schedule_task_id": "b"}, "schedule_queue", "queue"),
        ({"schedule_task_id": 5, "schedule_queue": "q"}, "schedule_task_id", "id or a Task"),
        ({"schedule_task_id": "b", "schedule_function": print}, "schedule_function", "one of the two"),
        ({"schedule_task_id": "b", "schedule_task_query": {"name": "x"}}, "schedule_task_query", "one of the two"),
        ({"schedule_task_query": {"name": "x"}, "schedule_queue": "q"}, "name", "needs a name"),
        ({"schedule_function": print}, "name", "schedule_function needs a name"),
        ({"schedule_function": "print", "name": "x"}, "schedule_function", "takes the object's id"),
        ({"schedule_function": print, "name": "x", "task_parameters": {"a": 1}}, "task_parameters", "no effect"),
        ({"schedule_function": print, "name": "x", "reuse_task": True}, "reuse_task", "no effect"),
        (
            {"schedule_function": lambda i: i, "name": "x", "function_workers": True},
            "schedule_function",
            "no name that can be imported",
        ),
        ({"schedule_function": print, "name": "x", "function_workers": 1}, "function_workers", "True or False"),
        (
            {"schedule_task_id": "b", "schedule_queue": "q", "function_workers": True},
            "function_workers",
            "requires schedule_function",
        ),
        ({"schedule_task_id": "b", "schedule_queue": "q", "add_tag": 5}, "add_tag", "give a tag"),
        ({"schedule_task_id": "b", "schedule_queue": "q", "name": ["x"]}, "name", "give a string"),
        ({"schedule_task_id": "b", "schedule_queue": 5}, "schedule_queue", "give a string"),
        ({"schedule_task_id": "b", "schedule_queue": "q", "target_project": 5}, "target_project", "give a string"),
    ],
)
@pytest.mark.parametrize("kind", KINDS)
def test_invalid_arguments_are_named_and_nothing_is_added(scheduler, kind, arguments, argument, way_out):
    with pytest.raises(ValueError) as caught:
        add(scheduler, kind, **arguments)
    assert isinstance(caught.value, InvalidTrigger)
    assert caught.value.argument == argument
    assert way_out in str(caught.value)
    assert scheduler.declarations == ()


def test_check_sees_each_trigger_before_it_is_added():
    seen = []

    def check(trigger):
        seen.append(trigger.id)
        if trigger.name == "no":
            raise Usage("not this one")

    scheduler = TriggerScheduler(check=check)
    scheduler.add_model_trigger("b", "q", name="yes")
    with pytest.raises(Usage):
        scheduler.add_model_trigger("b", "q", name="no")
    assert seen == ["model:yes", "model:no"]
    assert [d.trigger.name for d in scheduler.declarations] == ["yes"]


@pytest.mark.parametrize("argument", ["pooling_frequency_minutes", "sync_frequency_minutes"])
@pytest.mark.parametrize("value", [0, -1, "3", True, float("nan"), float("inf")])
def test_constructor_refuses_what_is_no_pace(argument, value):
    with pytest.raises(ValueError, match=f"{argument}=.*minutes"):
        TriggerScheduler(**{argument: value})


def test_constructor_refuses_a_pace_below_a_second_and_says_so():
    with pytest.raises(Usage, match="one second"):
        TriggerScheduler(0.01)
    assert TriggerScheduler(1 / 60).poll_seconds == 1


@pytest.mark.parametrize("argument", ["force_create_task_name", "force_create_task_project"])
def test_constructor_refuses_what_is_no_name(argument):
    with pytest.raises(Usage, match="give a name or None"):
        TriggerScheduler(**{argument: 5})


def test_pace_obeys_the_argument_else_the_settings():
    assert TriggerScheduler(0.5).poll_seconds == 30
    assert TriggerScheduler().poll_seconds == 5


def test_get_triggers_gives_objects_of_the_sdk(scheduler):
    def function(object_id):
        return object_id

    scheduler.add_task_trigger("b", "q", name="t", trigger_on_status=["failed"], trigger_project="P")
    scheduler.add_model_trigger(schedule_function=function, name="m", trigger_on_tags=["x"])
    scheduler.add_dataset_trigger("b", "q", name="d", trigger_on_publish=True, reuse_task=True)
    model, dataset, task = scheduler.get_triggers()
    assert (type(model), type(dataset), type(task)) == (sdk.ModelTrigger, sdk.DatasetTrigger, sdk.TaskTrigger)
    assert (model.name, model.base_function, model.tags) == ("m", function, ["x"])
    assert (dataset.on_publish, dataset.clone_task, dataset.add_tag) == (True, False, "d")
    assert (task.on_status, task.base_task_id, task.queue, task.project) == (["failed"], "b", "q", "P")
    for each in (model, dataset, task):
        each.verify()


def test_importing_is_quick_and_brings_no_clearml():
    code = "import sys; from triggers import TriggerScheduler; print('clearml' in sys.modules, 'celery' in sys.modules)"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.split() == ["False", "False"]


@pytest.mark.parametrize(("given", "kept"), [("/a", "a"), ("x//y/", "x/y"), ("p / q ", "p/q"), ("  Team  ", "Team")])
def test_project_names_are_kept_as_the_server_keeps_them(scheduler, given, kept):
    scheduler.add_model_trigger("b", "q", trigger_project=given, target_project=given)
    trigger = scheduler.declarations[0].trigger
    assert (trigger.trigger_project, trigger.action.target_project) == (kept, kept)


@pytest.mark.parametrize("given", ["/", " ", " // / "])
def test_a_project_without_a_name_is_refused(scheduler, given):
    with pytest.raises(InvalidTrigger, match="give the full name of a project"):
        scheduler.add_task_trigger("b", "q", trigger_project=given)


@pytest.mark.parametrize(
    "tags",
    [
        {"trigger_on_tags": ["a", "b"]},
        {"trigger_required_tags": ["b"]},
        {"trigger_on_any_tags": ["b"]},
    ],
)
def test_a_tag_both_wanted_and_excluded_is_refused(scheduler, tags):
    with pytest.raises(InvalidTrigger, match=r"trigger_exclude_tags=\['b'\].*nothing can fire"):
        scheduler.add_task_trigger("b", "q", trigger_exclude_tags=["b"], **tags)


def test_any_tags_of_which_one_is_excluded_can_fire(scheduler):
    assert scheduler.add_task_trigger("b", "q", trigger_exclude_tags=["b"], trigger_on_any_tags=["a", "b"])


@pytest.mark.parametrize(
    "function", [lambda: None, lambda one, two: None, lambda *, key: None, lambda one, firing, more: None]
)
def test_a_function_that_cannot_take_the_objects_id_is_refused(scheduler, function):
    with pytest.raises(InvalidTrigger, match="it is called with the object's id and cannot be"):
        scheduler.add_task_trigger(schedule_function=function, name="x")


@pytest.mark.parametrize(
    "function",
    [
        print,
        lambda one: None,
        lambda *all_: None,
        lambda one, firing: None,
        lambda one, *, firing=None: None,
        lambda one, two=2: None,
    ],
)
def test_a_function_that_can_is_taken(scheduler, function):
    assert scheduler.add_task_trigger(schedule_function=function, name="x")
