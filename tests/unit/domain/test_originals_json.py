"""The original's configuration sections, written by its own classes and read here, and the other way round."""

from __future__ import annotations

import json

import pytest
from clearml.automation import trigger as sdk

from triggers.actions.clearml_task import TaskAction
from triggers.actions.python_function import FunctionAction
from triggers.base.errors import InvalidTrigger, Usage
from triggers.model.original import from_original, to_original, triggered_objects

CLASSES = {"model": sdk.ModelTrigger, "dataset": sdk.DatasetTrigger, "task": sdk.TaskTrigger}
PROJECT = "0123456789abcdef0123456789abcdef"


def written(kind, full=False, **fields):
    """What the original writes for a trigger."""
    defaults = {"name": "n", "base_task_id": "b", "queue": "q", "add_tag": "n", "task_parameters": None}
    return json.loads(json.dumps(CLASSES[kind](**{**defaults, **fields}).to_dict(full=full)))


@pytest.mark.parametrize("kind", CLASSES)
def test_from_original_reads_what_the_original_wrote(kind):
    item = written(
        kind,
        project=PROJECT,
        match_name="^x",
        tags=["a"],
        required_tags=["r"],
        target_project="T",
        single_instance=True,
        task_parameters={"Args/id": "${" + kind + ".id}"},
        task_overrides={"script.branch": "main"},
    )
    trigger = from_original(kind, item)
    assert (trigger.kind, trigger.name, trigger.project_id, trigger.trigger_project) == (kind, "n", PROJECT, None)
    assert (trigger.trigger_name, trigger.trigger_on_tags, trigger.trigger_required_tags) == ("^x", ("a",), ("r",))
    assert trigger.policy.single_instance
    assert trigger.action == TaskAction(
        base_task_id="b",
        queue="q",
        tag="n",
        target_project="T",
        parameters={"Args/id": "${" + kind + ".id}"},
        overrides={"script.branch": "main"},
    )


def test_from_original_reads_the_conditions_of_tasks():
    item = written(
        "task", metrics="m", variant="v", threshold=0.0, value_sign="maximum", exclude_dev=True, on_status=["failed"]
    )
    trigger = from_original("task", item)
    assert trigger.trigger_on_status == ("failed",)
    assert (trigger.trigger_on_threshold, trigger.sign, trigger.trigger_exclude_dev_tasks) == (0.0, "max", True)


@pytest.mark.parametrize("kind", ["model", "dataset"])
def test_from_original_reads_publish_and_archive(kind):
    trigger = from_original(kind, written(kind, on_publish=True, on_archive=True, clone_task=False))
    assert (trigger.trigger_on_publish, trigger.trigger_on_archive, trigger.action.reuse_task) == (True, True, True)


def test_from_original_reads_its_state_too():
    item = written("model", full=True, triggered_instances={"m1": "2026-01-31T12:00:00.123000+00:00"})
    assert from_original("model", item) == from_original("model", written("model"))
    assert triggered_objects(item) == {"m1": 1769860800123}
    assert triggered_objects(written("model")) == {}


def test_from_original_without_a_name_takes_the_task_id():
    assert from_original("model", written("model", name=None)).name == "b"


def test_from_original_of_a_function_leaves_it_to_the_script():
    item = written("model", base_task_id=None, queue=None, base_function=print)
    assert "base_function" not in item
    assert from_original("model", item).action == FunctionAction()


def test_from_original_takes_a_project_typed_by_name():
    assert from_original("model", written("model", project="Team/Vision")).trigger_project == "Team/Vision"


def test_from_original_names_what_is_wrong():
    with pytest.raises(InvalidTrigger, match=r"trigger 'n': trigger_on_status=.*unknown status 'flying'"):
        from_original("task", written("task", on_status=["flying"]))
    with pytest.raises(Usage, match="every item must be a dictionary"):
        from_original("task", "text")


@pytest.mark.parametrize("kind", CLASSES)
def test_to_original_writes_the_originals_keys_and_values(make, kind):
    fields = {"trigger_name": "^x", "trigger_on_tags": ["a"]}
    ours = to_original(make(kind, action=TaskAction(base_task_id="b", queue="q", tag="n"), name="n", **fields))
    assert ours == written(kind, match_name="^x", tags=["a"], task_overrides=None) | (
        {"on_publish": None, "on_archive": None} if kind == "task" else {}
    )


@pytest.mark.parametrize("kind", CLASSES)
def test_to_original_can_be_loaded_by_the_original(make, kind):
    trigger = make(kind, trigger_project="P", trigger_exclude_tags=["x"], policy={"fire": "on_transition"})
    loaded = CLASSES[kind]().update(json.loads(json.dumps(to_original(trigger))))
    loaded.verify()
    assert (loaded.name, loaded.base_task_id, loaded.project) == ("t", "base", "P")


def test_to_original_names_the_project_by_id_if_that_is_known(make):
    item = to_original(make("model", trigger_project="P"), project_id=PROJECT)
    assert (item["project"], item["trigger_project"]) == (PROJECT, "P")
    assert from_original("model", item).trigger_project == "P"
    assert from_original("model", item).project_id is None


def test_from_original_reads_back_what_only_this_project_knows(make):
    trigger = make(
        "task",
        trigger_project="P",
        trigger_on_any_tags=["a"],
        trigger_exclude_tags=["x"],
        trigger_on_metric="m",
        trigger_on_variant="v",
        trigger_on_threshold=-1,
        trigger_on_sign="last",
        trigger_on_direction="above",
        trigger_on_publish=True,
        trigger_on_archive=True,
        action={"type": "task", "query": {"project": "P", "tags": ["best"]}, "queue": "q"},
        policy={
            "single_instance": True,
            "overlap": "queue",
            "fire": "while_true",
            "cooldown_minutes": 3,
            "max_per_minute": 0,
        },
        provenance=False,
    )
    assert from_original("task", json.loads(json.dumps(to_original(trigger)))) == trigger


def test_from_original_reads_back_functions(make):
    trigger = make("model", action=FunctionAction(name="m.f", reference="m:f"))
    assert from_original("model", to_original(trigger)) == trigger
