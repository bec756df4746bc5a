"""What is stored or sent keeps its form, or raises its version: an earlier release must not misread it."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from tests.frozen import FILE, faults, forms
from triggers.base.formats import KNOWN, LOWEST
from triggers.model.events import Event
from triggers.model.items import Metric
from triggers.model.schedule_fields import SCHEDULE
from triggers.model.trigger import CLASSES, Trigger, make_trigger

WAY_OUT = "a version has to be raised in triggers.base.formats first; then run: python -m tests.frozen"


def frozen() -> dict[str, Any]:
    return json.loads(FILE.read_text())


def test_nothing_changed_its_form_under_the_same_version() -> None:
    assert faults(frozen(), forms()) == [], WAY_OUT


def test_the_frozen_forms_are_those_of_now() -> None:
    assert frozen() == json.loads(json.dumps(forms())), "run: python -m tests.frozen"


@pytest.mark.parametrize("kind", ["trigger task", "event", "entry", "firing", "granted firing", "policy", "mark"])
def test_a_form_that_changes_is_seen(kind: str) -> None:
    now = copy.deepcopy(frozen())
    form = now[kind]["form"]
    now[kind]["form"] = {**form, "new": "str"} if isinstance(form, dict) else [*form, "new"]
    assert faults(frozen(), now)
    now[kind]["version"] += 1
    assert not faults(frozen(), now)


@pytest.mark.parametrize("kind", ["scheduler", "state", "told"])
def test_a_field_more_is_passed_over_where_readers_do_so_and_another_one_is_not(kind: str) -> None:
    now = copy.deepcopy(frozen())
    now[kind]["form"]["new"] = "str"
    assert not faults(frozen(), now)
    del now[kind]["form"][next(iter(now[kind]["form"]))]
    assert faults(frozen(), now)


@pytest.mark.parametrize("kind", ["trigger", "event"])
def test_the_known_version_is_that_of_the_latest_field(kind: str) -> None:
    texts = json.dumps([form for name, form in frozen().items() if name.startswith(kind)])
    later = [int(part.partition('"')[0]) for part in texts.split(" since ")[1:]]
    assert KNOWN[kind] == max([LOWEST[kind], *later])


ACTION = {"type": "task", "base_task_id": "b", "queue": "q"}


def test_triggers_of_the_first_release_are_written_as_then_and_keep_their_digests() -> None:
    """Another digest would look like another declaration, and undo what people changed since."""
    trigger = make_trigger("task", name="t", trigger_on_tags=["a"], action=ACTION, policy={"fire": "on_transition"})
    text = (
        '{"action":{"base_task_id":"b","queue":"q","type":"task"},"kind":"task","name":"t",'
        '"policy":{"fire":"on_transition"},"trigger_on_tags":["a"],"v":1}'
    )
    assert trigger.to_json() == text
    assert Trigger.from_json(text) == trigger
    kinds = [kind for kind in CLASSES if kind != SCHEDULE]
    assert {json.loads(make_trigger(kind, name="t", action=ACTION).to_json())["v"] for kind in kinds} == {1}


def test_events_of_the_first_release_are_read() -> None:
    text = (
        '{"v":1,"kind":"task","id":"i","changed_ms":5,"name":"n","project":"P","project_id":"p","tags":["a"],'
        '"system_tags":["archived"],"status":"failed","type":"training","metrics":{"k":[1.0,null,2.0]}}'
    )
    event = Event(
        "task", "i", 5, "n", "P", "p", ("a",), ("archived",), "failed", False, "training", {"k": Metric(1.0, None, 2.0)}
    )
    assert Event.from_json(text) == event
    assert event.to_json() == text
