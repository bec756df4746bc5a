"""A file of triggers: what it says is what the Python API would declare, and every error of it is found."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings

from tests.property.domain_strategies import triggers
from triggers import TriggerScheduler
from triggers.actions.python_function import FunctionAction
from triggers.base.errors import Usage
from triggers.configuration import arguments_of, check_as_new, dump, examples, parse
from triggers.configuration.document import defaults
from triggers.configuration.schema import schema
from triggers.model import Trigger
from triggers.model.kinds import KINDS


@settings(max_examples=40, suppress_health_check=list(HealthCheck))
@given(triggers(rich=True))
def test_what_is_written_is_read_back(trigger: Trigger) -> None:
    wanted = {*trigger.trigger_on_tags, *trigger.trigger_required_tags, *trigger.trigger_on_any_tags}
    assume(not wanted & set(trigger.trigger_exclude_tags))  # refused: nothing would ever fire
    assume((getattr(trigger.action, "target_project", None) or "x").strip("/ \t\n") != "")  # refused: no name
    text = dump([trigger])
    if isinstance(trigger.action, FunctionAction):
        # no function's name has a colon; in a file it parts module and function
        assume(trigger.action.name and ":" not in trigger.action.name and trigger.action.reference is None)
        assert arguments_of(parse(text, "f").triggers[0]) == arguments_of(trigger)
    else:
        assert parse(text, "f").triggers[0].to_json() == trigger.to_json(), "by text, since NaN differs from itself"


def test_a_file_declares_what_the_same_call_declares() -> None:
    arguments: dict[str, Any] = {
        "name": "retry", "schedule_task_id": "base", "schedule_queue": "default", "trigger_on_status": ["failed"],
        "trigger_project": "P", "task_parameters": {"Args/a": "${task.id}"}, "single_instance": True,
    }  # fmt: skip
    scheduler = TriggerScheduler()
    scheduler.add_task_trigger(**arguments)
    (declared,) = scheduler.declarations
    lines = "".join(f"  {name}: {value!r}\n" for name, value in arguments.items())
    text = f"triggers:\n- kind: task\n{lines}".replace("True", "true")
    assert parse(text, "f").triggers == (declared.trigger,)


def test_all_errors_of_a_file_are_reported_at_once_with_their_places() -> None:
    text = """
triggers:
- {kind: task, name: a, schedule_task_id: b, schedule_queue: q, trigger_on_status: [broken]}
- {kind: planet, name: b}
- {kind: task, name: c, schedule_task_id: b, schedule_queue: q, trigger_on_stauts: [failed]}
- {kind: task, name: d, schedule_task_id: b, schedule_queue: q}
- {kind: task, name: d, schedule_task_id: b, schedule_queue: q}
- 7
"""
    with pytest.raises(Usage) as caught:
        parse(text, "t.yaml")
    lines = str(caught.value).splitlines()
    assert [line.partition(":")[0] for line in lines] == [f"t.yaml, item {number}" for number in (1, 2, 3, 5, 6)]
    assert "unknown status 'broken'" in lines[0]
    assert "kind='planet': give one of model, dataset, task" in lines[1]
    assert "trigger_on_stauts" in lines[2]
    assert "t.yaml, item 4" in lines[3]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: [", "is not YAML"),
        ("[]", "give `triggers:`"),
        ("triggers: 7", "give `triggers:`"),
        ("trigers: []", "'trigers' is unknown"),
        ("triggers:\n- {kind: task, name: a, name: b}", "given twice"),
        ("triggers:\n- {kind: task, name: a, schedule_function: f, function_workers: true}", "module:function"),
    ],
)
def test_what_is_no_file_of_triggers_is_refused(text: str, words: str) -> None:
    with pytest.raises(Usage, match=words):
        parse(text, "f")


@pytest.mark.parametrize(
    ("action", "words"),
    [
        ("{type: webhook, url: 'https://h.example/${object.id}', body: {'${object.id}': 1}}", "a key of body"),
        ("{type: webhook, url: 'https://h.example/T0KENxT0KENx'}", "env:NAME"),
        ("{type: notify, to: 'fcm://project/device?keyfile=/etc/keys/push'}", "names a file"),
        ("{type: comment, text: a}], on_failed: [{type: webhook, url: 'https://h.example/T0KENxT0KENx'}", "env:NAME"),
        ("{type: comment, text: a}], schedule_function: [f", "schedule_function"),
    ],
)
def test_what_apply_refuses_of_a_new_trigger_is_found_without_a_server(action: str, words: str) -> None:
    with pytest.raises(Usage, match=words):
        check_as_new(parse(f"triggers:\n- {{kind: task, name: a, actions: [{action}]}}", "f"))


@pytest.mark.parametrize(
    ("action", "words"),
    [
        ("{type: function}", "actions=.*give schedule_function instead"),
        ("{type: function, reference: 'os:system'}", "give schedule_function instead"),
        ("{type: task, base_task_id: b, queue: q}", "give schedule_task_id instead"),
        ("{type: tag, add: [a]}, {type: task, base_task_id: b, queue: q}", "give schedule_task_id instead"),
        ("{type: webhok}", "type='webhok': give an action of type 'webhook', .* did you mean 'webhook'"),
    ],
)
def test_a_list_of_actions_has_those_that_no_argument_spells(action: str, words: str) -> None:
    with pytest.raises(Usage, match=words):
        parse(f"triggers:\n- {{kind: task, name: a, actions: [{action}]}}", "f")


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ("actions: [{type: tag, add: [a]}]", "acts on models, datasets and tasks, and a time is not an object"),
        ("actions: [{type: notify, to: env:A}], on_failed: [{type: archive}]", "on_failed='archive'"),
        (
            "actions: [{type: notify, to: env:A}], on_resolved: [{type: notify, to: env:A}]",
            "is never resolved",
        ),
        ("actions: [{type: notify, to: env:A, text: '${launched.id}'}]", r"leave out on='launched' and \${launched"),
    ],
)
def test_what_a_schedule_cannot_carry_out_is_refused(fields: str, words: str) -> None:
    with pytest.raises(Usage, match=words):
        parse(f"triggers:\n- {{kind: schedule, name: a, cron: '0 3 * * *', {fields}}}", "f")


def test_an_empty_file_declares_nothing() -> None:
    assert parse("", "f").triggers == ()


def test_functions_are_named_and_not_imported() -> None:
    text = "triggers:\n- {kind: model, name: f, schedule_function: 'nowhere.at_all:run', function_workers: true}"
    (trigger,) = parse(text, "f").triggers
    assert trigger.action == FunctionAction(name="nowhere.at_all.run", reference="nowhere.at_all:run")


def test_the_schema_has_every_argument_of_the_python_api() -> None:
    kinds = schema()["properties"]["triggers"]["items"]["oneOf"]
    for kind, form in zip(KINDS, kinds, strict=True):
        assert set(form["properties"]) == {"kind", "project_id", "actions", *defaults(kind)}
        assert all(name == "project_id" or value for name, value in form["properties"].items())
        assert KINDS[kind].by_redis_clock or form["properties"]["trigger_project"]["description"].startswith(
            "Full name"
        )


def test_the_schema_takes_what_is_exported() -> None:
    jsonschema = pytest.importorskip("jsonschema")
    text = """
triggers:
- {kind: task, name: a, schedule_task_id: b, schedule_queue: q, trigger_on_status: [failed], add_tag: false}
- {kind: model, name: f, schedule_function: 'm:f', function_workers: true}
"""
    jsonschema.validate({"triggers": [arguments_of(one) for one in parse(text, "f").triggers]}, schema())


def test_examples_are_held() -> None:
    text = """
triggers:
- {kind: task, name: a, schedule_task_id: b, schedule_queue: q, trigger_on_metric: acc, trigger_on_variant: test,
   trigger_on_threshold: 0.9, trigger_on_sign: max}
examples:
- {trigger: a, object: {metrics: {acc: {test: 0.95}}}, fires: true}
- {trigger: a, object: {metrics: {acc: {test: [0.1, 0.1, 0.8]}}}, fires: false}
- {trigger: a, object: {kind: model}, fires: true}
"""
    assert [one.passes for one in examples.run(parse(text, "f"))] == [True, True, False]


@pytest.mark.parametrize(
    ("example", "words"),
    [
        ("{trigger: a, fires: maybe}", "give true or false"),
        ("{trigger: z, fires: true}", "0 triggers"),
        ("{trigger: a, object: {colour: red}, fires: true}", "colour"),
        ("{trigger: a, objects: {}, fires: true}", "nothing else"),
        ("{trigger: a, object: {kind: planet}, fires: true}", "one of model"),
    ],
)
def test_an_example_that_cannot_be_read_is_refused(example: str, words: str) -> None:
    text = f"triggers:\n- {{kind: task, name: a, schedule_task_id: b, schedule_queue: q}}\nexamples:\n- {example}"
    with pytest.raises(Usage, match=words):
        examples.run(parse(text, "f"))
