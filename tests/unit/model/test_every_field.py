"""Every declared field goes through every form in which it is ever written, and comes back.

The fields are those of the declarations (`tests/declared.py`), so that a new one is in here by being declared.
"""

from __future__ import annotations

import inspect
import json
from dataclasses import MISSING, asdict, fields
from typing import Any

import pytest

from tests import declared as samples
from triggers import TriggerScheduler, testing
from triggers.actions.clearml_task import TaskAction
from triggers.actions.python_function import FunctionAction
from triggers.clearml_api.narrowing import filters, project_filter
from triggers.client.declaration import declare
from triggers.configuration.document import defaults, parse
from triggers.configuration.schema import schema
from triggers.configuration.writing import arguments_of, dump
from triggers.ledger.deployment.schedulers import Scheduler
from triggers.ledger.firings.firing import Firing
from triggers.ledger.matching.changes import Grant
from triggers.ledger.polling.batches import decode_batch
from triggers.ledger.registry.registry import Entry
from triggers.ledger.signing import NO_KEY, Signer
from triggers.model import Policy, Trigger
from triggers.model.clauses import PROJECT_NAME, Rule
from triggers.model.events import ASKED, DECODINGS, TYPES, Event
from triggers.model.fields import declared
from triggers.model.kinds import call_of
from triggers.model.original import SECTIONS, to_original
from triggers.model.schedule_fields import SCHEDULE
from triggers.model.trigger import CLASSES, PLAIN_FIELDS, policy_of
from triggers.notices.decide import Notice, Told
from triggers.rules.conditions import Condition, evaluate, matches, rules
from triggers.rules.index import Index
from triggers.rules.query_plan import queries
from triggers.sandbox.filters import Query as ServerQuery
from triggers.sandbox.filters.kinds import MODELS, PROJECTS, TASKS
from triggers.sync.saved_edits import Kept
from triggers.sync.saved_state import Saved
from triggers.sync.sections import read_section, write_section

TRIGGERS = dict(samples.triggers())
EVERY = pytest.mark.parametrize("trigger", TRIGGERS.values(), ids=TRIGGERS)
KINDS = pytest.mark.parametrize("kind", CLASSES)
#: (kind, field, a trigger that has it and no other) of every field with a clause
RULED = [
    pytest.param(kind, name, TRIGGERS[f"{kind}.{name}"], id=f"{kind}.{name}")
    for kind, cls in CLASSES.items()
    for name, mark in declared(cls).items()
    if isinstance(mark, Rule)
]


# ---- triggers -------------------------------------------------------------------------------------------
@pytest.mark.parametrize("field", TRIGGERS)
def test_a_sample_has_its_field(field: str) -> None:
    *path, name = field.split(".")
    part: Any = TRIGGERS[field]
    if len(path) > 1:
        part = getattr(part, path[1])
    assert getattr(part, name) != type(part).model_fields[name].get_default(call_default_factory=True)


@EVERY
def test_json_of_a_trigger(trigger: Trigger) -> None:
    assert Trigger.from_json(trigger.to_json()) == trigger


@EVERY
def test_digests_differ_by_every_field(trigger: Trigger) -> None:
    same = [field for field, other in TRIGGERS.items() if other.kind == trigger.kind and other.digest == trigger.digest]
    assert all(TRIGGERS[field] == trigger for field in same)


@EVERY
def test_section_of_the_service_task(trigger: Trigger) -> None:
    section = read_section(trigger.kind, write_section([trigger], {}), {}, [trigger])
    assert (section.problems, section.warnings) == ((), ())
    assert list(section.triggers.values()) == [trigger]


@EVERY
def test_section_of_the_service_task_that_nobody_changed(trigger: Trigger) -> None:
    text, standing = write_section([trigger], {"P": "p" * 32}), {trigger.id: trigger}
    section = read_section(trigger.kind, text, {"P": "p" * 32}, [trigger], standing)
    read = read_section(trigger.kind, text, {"P": "p" * 32}, [trigger])
    assert section.same == {trigger.id}
    assert section.digests() == read.digests()


@EVERY
def test_registry(trigger: Trigger) -> None:
    entry = Entry(trigger, 5, 6, "script", True, False, "d", "s.py", "t.py")
    assert Entry.from_json(trigger.id, entry.to_json()) == entry
    kept = Kept(7, {trigger.id: (5, True)}, {trigger.id: entry})
    assert Kept.from_json(kept.to_json()) == kept


@EVERY
def test_yaml(trigger: Trigger) -> None:
    (read,) = parse(dump([trigger]), "file").triggers
    assert arguments_of(read) == arguments_of(trigger)
    if not isinstance(trigger.action, FunctionAction):  # a file names functions in a spelling of its own
        assert read == trigger


@EVERY
def test_call_that_declares_it(trigger: Trigger) -> None:
    if isinstance(trigger.action, FunctionAction) or trigger.project_id:
        return  # a function is not a value of a file; an id of a project is what the original wrote
    given = {name: value for name, value in arguments_of(trigger).items() if name != "kind"}
    assert declare(trigger.kind, {**defaults(trigger.kind), **given}, {}, "here").trigger == trigger


@KINDS
def test_item_of_a_section_has_no_key_that_another_field_has(kind: Any) -> None:
    """Two fields of one key would overwrite each other."""
    keys = [mark.key for mark in declared(CLASSES[kind]).values() if mark.key]
    assert len(keys) == len(set(keys))
    assert set(keys) <= set(to_original(TRIGGERS[f"{kind}.owner"]))
    assert kind in SECTIONS


# ---- events ---------------------------------------------------------------------------------------------
def said(event: Event) -> set[str]:
    """The fields that say something."""
    empty = Event(event.kind, event.id, event.changed_ms)
    optional = [one.name for one in fields(Event) if one.default is not MISSING or one.default_factory is not MISSING]
    return {name for name in optional if getattr(event, name) != getattr(empty, name)}


@KINDS
def test_item_of_the_server(kind: Any) -> None:
    if kind == SCHEDULE:  # no collection of the server has them
        return
    collection = "models" if kind == "model" else "tasks"
    assert said(samples.event(kind)) == set(DECODINGS[collection]) - {"kind", "id", "changed_ms"}
    parts = {decoding.part for decoding in DECODINGS[collection].values()}
    assert {name.partition(".")[0] for name in ASKED[collection]} | {"last_metrics"} >= parts
    assert set(TYPES) >= parts


def test_every_field_of_an_event_is_read_from_some_collection() -> None:
    read = {name for found in DECODINGS.values() for name in found}
    assert read | said(samples.event(SCHEDULE)) == {one.name for one in fields(Event)}


@KINDS
def test_json_of_an_event(kind: Any) -> None:
    event = samples.event(kind)
    assert Event.from_json(event.to_json()) == event
    batch = decode_batch(json.dumps({"v": 1, "plan": 1, "polled_ms": 1}) + "\n" + event.to_json())
    assert [Event.from_json(line) for line in batch.events] == [event]


@pytest.mark.parametrize("signer", [NO_KEY, Signer(["k" * 40], "scheduler")], ids=["", "signed"])
@KINDS
def test_firing(kind: Any, signer: Signer) -> None:
    event = samples.event(kind)
    grant = Grant("k", f"{kind}:t", kind, event.id, 3, event.changed_ms, 5, event.to_json(), "caller")
    flat = grant.fields(signer)
    added = {"state": "waiting", "granted_ms": "6", "sequence": "1"}
    firing = Firing.as_far_as_readable("k", {**dict(zip(flat[::2], flat[1::2], strict=True)), **added}, signer)
    assert not firing.unread
    assert Event.from_json(firing.event) == event
    assert {name: str(getattr(firing, name)) for name in ("trigger", "kind", "object", "occurrence", "polled_ms")} == {
        "trigger": grant.trigger, "kind": kind, "object": event.id, "occurrence": "3", "polled_ms": "5",
    }  # fmt: skip


@KINDS
def test_description_of_an_object_in_a_test(kind: Any) -> None:
    """What a condition can read, `triggers.testing` can describe."""
    describe = getattr(testing, kind)
    values: dict[str, Any] = {"status": "published", "metrics": {("a", "a"): 1.0}}
    described: set[str] = set()
    for name, parameter in inspect.signature(describe).parameters.items():
        default = parameter.default
        value = values.get(name, not default if isinstance(default, bool) else ["a"] if default == () else "other")
        changed = describe(**{name: value})
        described |= {one.name for one in fields(Event) if getattr(changed, one.name) != getattr(describe(), one.name)}
    given = {"project_id", "changed_ms", "kind"} | ({"type", "metrics"} if kind == "dataset" else set())
    if kind == SCHEDULE:
        assert described >= said(samples.event(kind))
        return
    assert described | given >= set(DECODINGS["models" if kind == "model" else "tasks"])


def test_notice() -> None:
    notice = Notice(**{one.name: 7 if one.type == "int" else "a" for one in fields(Notice)})  # type: ignore[arg-type]
    told = Told({"x": 1}, {"x": 2}, 3, 4, 5, {"x": asdict(notice)}, {"x": 6}, {"x": 7}, ("x",))
    assert Told.from_text(told.to_text()) == told
    assert Notice(**told.known["x"]) == notice


def test_record_of_a_scheduler_and_saved_state() -> None:
    scheduler = Scheduler("h", "w", "p", "n", 1.0, "t", 2.0, "web", True, 3.0)
    assert Scheduler.from_json(scheduler.id, scheduler.to_json()) == scheduler
    saved = Saved(1, 2, 3, 4, 5, ("task:t",), "audit", {"task:t": {"o": "1:1:5:5"}}, {"made": 1})
    assert Saved.from_json(saved.to_json()) == saved
    for value in (scheduler, saved):
        assert all(getattr(value, one.name) != one.default for one in fields(value))


# ---- conditions -----------------------------------------------------------------------------------------
@pytest.mark.parametrize(("kind", "name", "trigger"), RULED)
def test_clause_reads_the_event(kind: Any, name: str, trigger: Trigger) -> None:
    """It decides otherwise on an object that has everything than on one that has nothing, and says so."""
    full, empty = samples.event(kind), Event(kind, "a", 1)
    told = [{clause.name: clause for clause in evaluate(trigger, event).clauses} for event in (full, empty)]
    assert told[0][name].holds != told[1][name].holds
    assert told[0][name].found != told[1][name].found
    assert told[0][name].wanted
    for event in (full, empty):
        assert Condition.of(trigger).matches(event) is matches(trigger, event) is evaluate(trigger, event).matched


@pytest.mark.parametrize(("kind", "name", "trigger"), RULED)
def test_index_and_query_plan_lead_to_what_matches(kind: Any, name: str, trigger: Trigger) -> None:
    full = samples.event(kind)
    if not matches(trigger, full):  # it excludes something
        return
    assert trigger in Index([trigger]).candidates(full)
    item = samples.item("models" if kind == "model" else "tasks", kind) | {"project": "a" * 32}
    of = MODELS if kind == "model" else TASKS
    for query in queries([trigger]):
        ids = None
        if PROJECT_NAME in query:
            passes = ServerQuery(PROJECTS, dict(project_filter(query))).passes
            ids = frozenset(["a" * 32] if passes({"name": full.project}) else [])
        assert ServerQuery(of, dict(filters(query, ids))).passes(item)


@KINDS
def test_every_clause_is_of_a_field_or_stands_alone_by_declaration(kind: Any) -> None:
    names = [named.name for named in rules(CLASSES[kind])]
    assert len(names) == len(set(names))
    assert set(names) - set(CLASSES[kind].model_fields) <= set(CLASSES[kind].always) | {"kind"}


# ---- signatures -----------------------------------------------------------------------------------------
@KINDS
def test_call_has_every_field_as_an_argument_with_its_default(kind: Any) -> None:
    cls = CLASSES[kind]
    call = getattr(TriggerScheduler, call_of(kind))
    behind = {name: TaskAction.ARGUMENTS.get(name, name) for name in TaskAction.model_fields if name != "type"}
    assert set(defaults(kind)) == {
        "name", "schedule_function", "function_workers", *behind.values(), *policy_of(kind), *PLAIN_FIELDS,
        *(name for name in declared(cls) if name != "project_id"),
    }  # fmt: skip
    for name, parameter in inspect.signature(call).parameters.items():
        field = {**cls.model_fields, **Policy.model_fields}.get(name)
        if field is not None and name != "name":
            assert (parameter.default or None) == (field.get_default() or None), name
        assert parameter.annotation, name


@KINDS
def test_every_argument_is_explained_in_the_schema(kind: Any) -> None:
    (of_kind,) = (
        one["properties"]
        for one in schema()["properties"]["triggers"]["items"]["oneOf"]
        if one["properties"]["kind"] == {"const": kind}
    )
    assert [name for name in defaults(kind) if not of_kind[name].get("description")] == []
    assert [name for name in defaults(kind) if len(of_kind[name]) < 2] == [], "no form"
