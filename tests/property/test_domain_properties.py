from __future__ import annotations

import json
from dataclasses import asdict

from domain_strategies import KINDS, events, keys, texts, trigger_lists, triggers, values
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from triggers.actions import parameters
from triggers.actions.launching.request import launch_request
from triggers.actions.placeholders import fill, unknown_placeholder
from triggers.actions.python_function import FunctionAction
from triggers.model import Trigger
from triggers.model.events import Event, iso_time, milliseconds
from triggers.model.launch_request import BASE_FIELDS
from triggers.model.launch_tags import LaunchTags
from triggers.model.original import from_original, to_original
from triggers.rules.conditions import Condition, evaluate, matches
from triggers.rules.index import Index

MARKS = LaunchTags.of("s", "f", "a")


#: A loaded machine draws slowly and answers late; neither is what these tests are about.
PATIENT = settings(suppress_health_check=[HealthCheck.too_slow])


@PATIENT
@given(events())
def test_event_json_round_trip(event):
    text = event.to_json()
    back = Event.from_json(text)
    assert repr(asdict(back)) == repr(asdict(event))  # repr: NaN is not equal to itself
    assert back.to_json() == text
    assert text.isascii()


@PATIENT
@given(st.integers(0, 253_402_300_799_999))
def test_times_round_trip(ms):
    assert milliseconds(iso_time(ms)) == ms


@PATIENT
@given(triggers(rich=True))
def test_trigger_json_round_trip(trigger):
    text = trigger.to_json()
    back = Trigger.from_json(text)
    assert back.to_json() == text
    assert type(back) is type(trigger)
    assert back.digest == trigger.digest


@PATIENT
@given(triggers(rich=True))
def test_trigger_in_the_originals_json_round_trip(trigger):
    item = json.loads(json.dumps(to_original(trigger)))
    assert from_original(trigger.kind, item).to_json() == trigger.to_json()


@given(triggers(), events())
@settings(PATIENT, max_examples=200)
def test_matches_and_evaluate_are_one_decision(trigger, event):
    verdict = evaluate(trigger, event)
    assert verdict.matched == matches(trigger, event) == Condition.of(trigger).matches(event)
    assert verdict.matched == (verdict.failed == ())
    assert all(clause.wanted and clause.found for clause in verdict.clauses)


@given(trigger_lists(), events())
@settings(PATIENT, max_examples=200)
def test_index_leaves_out_nothing_that_matches(registered, event):
    candidates = list(Index(registered).candidates(event))
    assert len({id(trigger) for trigger in candidates}) == len(candidates)
    matched = [trigger.name for trigger in registered if matches(trigger, event)]
    assert [trigger.name for trigger in candidates if matches(trigger, event)] == matched


@PATIENT
@given(triggers(), events())
def test_conditions_ignore_what_is_none_of_their_business(trigger, event):
    """A match is a matter of the object's state alone: neither its id nor the time of the change decides."""
    fields = {name: getattr(event, name) for name in Event.__dataclass_fields__}
    other = Event(**{**fields, "id": "another", "changed_ms": event.changed_ms + 1})
    assert matches(trigger, event) == matches(trigger, other)


items = st.fixed_dictionaries({"value": texts}, optional={"type": texts, "description": texts})
sections = st.dictionaries(st.sampled_from(["Args", "General", "Ż"]), st.dictionaries(texts, items, max_size=3))


@PATIENT
@given(sections, st.dictionaries(keys, values, max_size=4))
def test_merge_of_parameters_keeps_the_others_as_they_are(base, changes):
    located = [(parameters.locate(key, base), value) for key, value in changes.items()]
    merged = parameters.merge(base, located)
    changed = {place for place, _ in located}
    for section, names in base.items():
        for name, item in names.items():
            if (section, name) not in changed:
                assert merged[section][name] == item
    assert {(s, n) for s, names in merged.items() for n in names} == changed | {
        (s, n) for s, names in base.items() for n in names
    }
    for (section, name), value in dict(located).items():
        item = merged[section][name]
        assert (item["section"], item["name"], item["value"]) == (section, name, parameters.as_text(value))
        before = base.get(section, {}).get(name, {})
        assert item["description"] == before.get("description", "")
        if before.get("type"):
            assert item["type"] == before["type"]


@PATIENT
@given(values, st.sampled_from(KINDS), st.uuids().map(lambda id_: id_.hex))
def test_fill_changes_nothing_where_there_is_no_reference(value, kind, object_id):
    assert unknown_placeholder(value, kind) is None
    assert json.dumps(fill(value, kind, object_id)) == json.dumps(value)


@PATIENT
@given(st.lists(st.sampled_from(["${task.id}", "$${task.id}", "$${x}", "a", "$", "{", "}"])).map("".join))
def test_fill_knows_every_reference_that_was_accepted(text):
    if unknown_placeholder(text, "task") is None:
        filled = fill([text], "task", "ID")[0]
        assert filled.replace("$" + "{task.id}", "").count("ID") == text.replace("$${task.id}", "").count("${task.id}")


tags = st.lists(st.sampled_from(["x", "archived", "development", *LaunchTags.of("o", "o", "o").tags()]), unique=True)


@PATIENT
@given(triggers(rich=True), events(), sections, tags, tags)
def test_clone_is_marked_and_keeps_what_the_base_has(trigger, event, hyperparams, base_tags, system_tags):
    if isinstance(trigger.action, FunctionAction):
        return
    configuration = {"General": {"name": "General", "value": "a"}}
    base = {
        "id": "b",
        "name": "base",
        "tags": base_tags,
        "system_tags": system_tags,
        "hyperparams": hyperparams,
        "configuration": configuration,
        "container": {"image": "i"},
    }
    request = launch_request(trigger, event, base, MARKS, None)
    json.dumps([request.clone, request.edit])
    assert all(request.clone.values())  # nothing that would count as not given
    assert request.clone["new_task_parent"] == request.clone["task"] == "b"
    ours = [tag for tag in request.clone["new_task_system_tags"] if tag.startswith("clearml-triggers:")]
    assert ours == MARKS.tags()
    assert set(request.clone["new_task_system_tags"]) - set(ours) == set(system_tags) & {"x"}
    assert set(base_tags) <= set(request.clone.get("new_task_tags", base_tags))
    assert configuration["General"] == request.clone.get("new_task_configuration", configuration)["General"]
    assert set(hyperparams) <= set(request.clone.get("new_task_hyperparams", hyperparams))


def test_base_fields_cover_what_a_launch_request_reads():
    assert {name.split(".")[0] for name in BASE_FIELDS} >= {
        "id", "name", "tags", "system_tags", "hyperparams", "configuration", "container", "script",
    }  # fmt: skip
