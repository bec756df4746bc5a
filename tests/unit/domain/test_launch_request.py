"""Actions: what the one clone call contains, and what goes into the edit."""

from __future__ import annotations

import json

import pytest

from triggers.actions.clearml_task import TaskAction
from triggers.actions.launching.request import (
    PROVENANCE_DESCRIPTION,
    launch_request,
    resolve_target_project,
    reuse_edit,
)
from triggers.actions.python_function import FunctionAction
from triggers.base.errors import LaunchImpossible
from triggers.model.events import Event
from triggers.model.launch_tags import REUSED, LaunchTags

MARKS = LaunchTags.of("s1", "f1", "a1")
LR = {"section": "Args", "name": "lr", "value": "0.1", "type": "float", "description": "rate"}
BASE = {
    "id": "b1",
    "name": "base",
    "status": "completed",
    "tags": ["nightly"],
    "system_tags": ["development", "archived", "pipeline"],
    "hyperparams": {"Args": {"lr": LR}},
    "configuration": {"General": {"name": "General", "value": "a = 1", "type": "dict"}},
    "container": {"image": "img:1", "arguments": "-e A=1"},
}
CHANGED = 1769860800123


@pytest.fixture
def launch(make):
    def build(base=BASE, kind="task", project=None, provenance=False, event=None, **action):
        trigger = make(kind, provenance=provenance, action=TaskAction(base_task_id="b1", queue="q", **action))
        seen = event or Event(kind=kind, id="o1", changed_ms=CHANGED, name="the object")
        return launch_request(trigger, seen, base, MARKS, project)

    return build


def test_bare_clone_carries_parent_marks_and_nothing_that_the_clone_keeps_by_itself(launch):
    request = launch()
    assert request.clone == {
        "task": "b1",
        "new_task_parent": "b1",
        "new_task_system_tags": ["pipeline", *MARKS.tags()],
    }
    assert request.edit is None


def test_system_tags_leave_out_the_marks_of_the_launch_that_the_base_is_a_copy_of(launch):
    copied = {**BASE, "system_tags": ["dataset", *LaunchTags.of("s1", "older", "a0").tags()]}
    assert launch(copied).clone["new_task_system_tags"] == ["dataset", *MARKS.tags()]


def test_tag_joins_those_of_the_base(launch):
    assert launch(tag="t").clone["new_task_tags"] == ["nightly", "t"]
    assert launch({**BASE, "tags": None}, tag="t").clone["new_task_tags"] == ["t"]


def test_project_is_the_one_resolved(launch):
    assert launch(project="p1").clone["new_task_project"] == "p1"


def test_parameters_are_merged_into_the_sections_of_the_base(launch):
    clone = launch(parameters={"Args/lr": 0.5, "Args/n": 3, "seed": None}).clone
    assert clone["new_task_hyperparams"] == {
        "Args": {
            "lr": {**LR, "value": "0.5"},
            "n": {"section": "Args", "name": "n", "value": "3", "type": "int", "description": ""},
        },
        "General": {"seed": {"section": "General", "name": "seed", "value": "", "description": ""}},
    }
    assert BASE["hyperparams"] == {"Args": {"lr": LR}}


def test_parameter_of_an_old_task_stays_in_its_legacy_section(launch):
    legacy = {"Args": {"lr": {"section": "Args", "name": "lr", "value": "1", "type": "legacy"}}}
    merged = launch({**BASE, "hyperparams": legacy}, parameters={"lr": 2}).clone["new_task_hyperparams"]
    assert list(merged) == ["Args"]
    assert merged["Args"]["lr"]["value"] == "2"
    assert merged["Args"]["lr"]["type"] == "legacy"


@pytest.mark.parametrize("kind", ["model", "dataset", "task"])
def test_placeholders_are_filled_anywhere_in_parameters_and_overrides(launch, kind):
    ref = "${" + kind + ".id}"
    clone = launch(
        kind=kind,
        parameters={"Args/id": ref, "Args/url": f"s3://x/{ref}/y", "Args/list": [ref, {"k": ref}]},
        overrides={f"Args/{kind}_id": ref, "comment": f"from {ref}", "configuration.c": {"deep": [ref]}},
    ).clone
    args = clone["new_task_hyperparams"]["Args"]
    assert args["id"]["value"] == args[f"{kind}_id"]["value"] == "o1"
    assert args["url"]["value"] == "s3://x/o1/y"
    assert args["list"]["value"] == '["o1", {"k": "o1"}]'
    assert clone["new_task_comment"] == "from o1"
    assert clone["new_task_configuration"]["c"]["value"] == '{"deep": ["o1"]}'


def test_placeholder_escaped_is_literal(launch):
    clone = launch(parameters={"Args/x": "$${task.id} ${task.id} $${HOME} $5"}).clone
    assert clone["new_task_hyperparams"]["Args"]["x"]["value"] == "${task.id} o1 ${HOME} $5"


def test_overrides_of_section_and_name_are_hyperparameters_and_win_over_parameters(launch):
    clone = launch(parameters={"Args/lr": 1}, overrides={"Args/lr": 2, "hyperparams.A.b.c": 3}).clone
    assert clone["new_task_hyperparams"]["Args"]["lr"]["value"] == "2"
    assert clone["new_task_hyperparams"]["A"]["b.c"]["value"] == "3"


def test_overrides_that_a_clone_carries(launch):
    request = launch(
        overrides={
            "name": "new name",
            "comment": "c",
            "parent": "p9",
            "tags": ["x"],
            "container.image": "img:2",
            "execution.framework": "torch",
            "configuration.General": "a = 2",
            "configuration.New.value": "text",
        },
        tag="t",
    )
    assert request.edit is None
    assert request.clone == {
        "task": "b1",
        "new_task_name": "new name",
        "new_task_comment": "c",
        "new_task_parent": "p9",
        "new_task_tags": ["t", "x"],
        "new_task_system_tags": ["pipeline", *MARKS.tags()],
        "new_task_container": {"image": "img:2", "arguments": "-e A=1"},
        "execution_overrides": {"framework": "torch"},
        "new_task_configuration": {
            "General": {"name": "General", "value": "a = 2", "type": "dict"},
            "New": {"name": "New", "value": "text"},
        },
    }


def test_overrides_that_a_clone_cannot_carry_go_into_the_edit(launch):
    request = launch(
        overrides={
            "script.version_num": None,
            "script.branch": "main",
            "type": "testing",
            "output_dest": "s3://b",
            "runtime.k": "v",
        }
    )
    assert request.edit == {
        "script": {"version_num": "", "branch": "main"},
        "type": "testing",
        "output_dest": "s3://b",
        "runtime": {"k": "v"},
    }
    assert "new_task_hyperparams" not in request.clone


def test_overrides_of_the_branch_clear_a_repository_tag_which_would_win(launch):
    tagged = {**BASE, "script": {"tag": "v1"}}
    assert launch(tagged, overrides={"script.branch": "main"}).edit == {"script": {"branch": "main", "tag": ""}}
    assert launch(tagged, overrides={"script.branch": "main", "script.tag": "v2"}).edit == {
        "script": {"branch": "main", "tag": "v2"}
    }


def test_overrides_to_empty_go_into_the_edit_since_a_clone_takes_them_as_not_given(launch):
    request = launch(overrides={"comment": None, "tags": [], "container.image": None, "container.arguments": None})
    assert request.edit == {"comment": "", "tags": [], "container": {}}
    assert not {"new_task_comment", "new_task_tags", "new_task_container"} & set(request.clone)


def test_target_project_wins_over_an_override_of_the_project(launch):
    assert launch(overrides={"project": "p1"}).clone["new_task_project"] == "p1"
    assert launch(overrides={"project": "p1"}, project="p2").clone["new_task_project"] == "p2"


def test_provenance_joins_the_configuration_of_the_base(launch):
    configuration = launch(provenance=True).clone["new_task_configuration"]
    assert configuration["General"] == BASE["configuration"]["General"]
    assert json.loads(configuration["trigger"]["value"]) == {
        "trigger": "t",
        "kind": "task",
        "object": "o1",
        "object_name": "the object",
        "event_time": "2026-01-31T12:00:00.123000+00:00",
        "firing": "f1",
    }


@pytest.mark.parametrize(("description", "replaced"), [(PROVENANCE_DESCRIPTION, True), ("mine", False), (None, False)])
def test_provenance_replaces_an_older_one_but_nothing_of_the_users(launch, description, replaced):
    there = {"trigger": {"name": "trigger", "value": "before", "description": description}}
    clone = launch({**BASE, "configuration": there}, provenance=True).clone
    assert (clone.get("new_task_configuration", there)["trigger"]["value"] != "before") is replaced


def test_provenance_switched_off_leaves_out_an_older_one_too_but_nothing_of_the_users(launch):
    older = {"name": "trigger", "value": "before", "description": PROVENANCE_DESCRIPTION}
    request = launch({**BASE, "configuration": {**BASE["configuration"], "trigger": older}})
    assert request.clone["new_task_configuration"] == BASE["configuration"]
    alone = launch({**BASE, "configuration": {"trigger": older}})
    assert "new_task_configuration" not in alone.clone
    assert alone.edit == {"configuration": {}}, "an empty one counts as not given in the clone call"
    users = launch({**BASE, "configuration": {"trigger": {**older, "description": "mine"}}})
    assert (users.clone.get("new_task_configuration"), users.edit) == (None, None)


def test_provenance_gives_way_to_an_override_of_that_name(launch):
    older = {"name": "trigger", "value": "before", "description": PROVENANCE_DESCRIPTION}
    base = {**BASE, "configuration": {"trigger": older}}
    configuration = launch(base, provenance=True, overrides={"configuration.trigger": "mine"}).clone
    assert configuration["new_task_configuration"] == {"trigger": {"name": "trigger", "value": "mine"}}


@pytest.mark.parametrize(
    ("target", "system_tags", "project"),
    [
        (None, ["pipeline"], None),
        ("P", [], "P"),
        ("P", None, "P"),
        ("P", ["pipeline"], "P/.pipelines/base"),
        ("P/.pipelines/other", ["pipeline"], "P/.pipelines/other"),
    ],
)
def test_target_project_of_a_pipeline_is_its_hidden_project(make, target, system_tags, project):
    trigger = make("task", action=TaskAction(base_task_id="b1", queue="q", target_project=target))
    assert resolve_target_project(trigger, {**BASE, "system_tags": system_tags}) == project


def test_reuse_edit_marks_the_task_anew_and_keeps_the_rest(make, event):
    base = {**BASE, "system_tags": ["pipeline", *LaunchTags.of("s1", "older", "a0").tags()]}
    trigger = make("task", action=TaskAction(base_task_id="b1", queue="q", reuse_task=True, tag="t"))
    edit = reuse_edit(trigger, event(), base, MARKS)
    assert edit["system_tags"] == ["pipeline", *MARKS.tags(), REUSED]
    assert edit["tags"] == ["nightly", "t"]
    assert set(edit["configuration"]) == {"General", "trigger"}


def test_function_launches_no_task(make, event):
    trigger = make("task", action=FunctionAction(name="f"))
    with pytest.raises(LaunchImpossible, match="calls a function"):
        launch_request(trigger, event(), BASE, MARKS, None)
