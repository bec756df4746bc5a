"""Ids of another form than is made are refused wherever they come from: Redis, or a message."""

from __future__ import annotations

import json

import pytest

from triggers.actions.clearml_task import TaskAction
from triggers.base import forms
from triggers.base.errors import Unreadable
from triggers.ledger.deployment.schedulers import Scheduler
from triggers.ledger.firings.firing import Firing, firing_key
from triggers.ledger.registry.entries import Entry
from triggers.model import make_trigger
from triggers.model.kinds import is_subject, is_trigger

HOSTILE = [
    "",
    "../../etc/passwd",
    "a}:registry{",
    "a b",
    "a\nb",
    "%s%n{0}",
    ".*",
    "a/b",
    "é",
    "x" * 5000,
    "a\x00",
    None,
    5,
    ["a"],
]


@pytest.mark.parametrize("text", HOSTILE, ids=repr)
def test_no_id_has_such_a_form(text: object):
    assert not forms.is_scheduler(text)
    assert not is_subject("task", text)
    assert not forms.is_firing(text)


@pytest.mark.parametrize("text", ["", "t", "user:t", "task:", "Task:t", "task", "task:" + "x" * 3000, None, 1])
def test_no_trigger_has_such_an_id(text: object):
    assert not is_trigger(text)


@pytest.mark.parametrize(
    "text", ["-1", "256", "1.0", "²", "٣", " 1", "1e1", "", "0001", -1, 256, 10**30, True, None, 1.0, "x"]
)
def test_there_is_no_such_partition(text: object):
    assert forms.partition_of(text) is None


def test_ids_as_they_are_made_pass():
    assert forms.is_scheduler(Scheduler("h", "w", "p", "n", 5.0).id)
    assert forms.is_firing(firing_key("s", "task:t", "o", 1))
    assert is_subject("task", "ee2b59072fe044229c63389bdc90276a")
    assert is_trigger(
        make_trigger("model", name="größe / 模型 }{", action=TaskAction(type="task", base_task_id="b", queue="q")).id
    )
    assert [forms.partition_of(one) for one in ("0", "255", 0, 255)] == [0, 255, 0, 255]


def fields(**changed: str) -> dict[str, str]:
    key = firing_key("s", "task:t", "0" * 32, 1)
    return {
        "key": key, "trigger": "task:t", "kind": "task", "object": "0" * 32, "occurrence": "1", "changed_ms": "1",
        "granted_ms": "1", "polled_ms": "1", "event": "{}", "lane": "dispatch", "state": "waiting", "sequence": "1",
        "lease": "l",
    } | changed  # fmt: skip


@pytest.mark.parametrize(
    ("name", "value"), [("object", "a}:b"), ("object", "*"), ("trigger", "user:t"), ("trigger", "task:")]
)
def test_a_firing_of_another_form_is_refused(name: str, value: str):
    assert Firing.from_fields(fields()["key"], fields()).object == "0" * 32
    with pytest.raises(Unreadable, match=f"its {name}"):
        Firing.from_fields(fields()["key"], fields(**{name: value}))


def test_a_firing_under_a_key_of_another_form_is_refused():
    with pytest.raises(Unreadable, match="its key"):
        Firing.from_fields("a}:b", fields(key="a}:b"))


def test_an_entry_under_an_id_of_another_form_is_refused():
    trigger = make_trigger("task", name="t", action=TaskAction(type="task", base_task_id="b", queue="q"))
    text = Entry(trigger, 1, 1, "script").to_json()
    assert Entry.from_json(trigger.id, text).trigger == trigger
    with pytest.raises(Unreadable):
        Entry.from_json("user:t", text)


def test_a_record_of_a_scheduler_is_its_own():
    record = Scheduler("h", "w", "p", "n", 5.0)
    assert Scheduler.from_json(record.id, record.to_json()) == record
    shadow = json.loads(record.to_json()) | {"shadow": True}
    with pytest.raises(Unreadable, match="makes the id"):
        Scheduler.from_json(record.id, json.dumps(shadow))
