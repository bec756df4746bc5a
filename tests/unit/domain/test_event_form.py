from __future__ import annotations

import json
import math

import pytest

from triggers.base.errors import Newer
from triggers.base.formats import KNOWN
from triggers.model.events import (
    Event,
    Metric,
    dataset_project,
    decode_model,
    decode_task,
    iso_time,
    metric_key,
    milliseconds,
)

KEY = metric_key("acc", "val")


def test_metric_key_is_the_servers():
    # the recorded keys of metric "acc", variant "val"
    assert KEY == "1673448ee7064c989d02579c534f6b66.3a6d0284e743dc4a9b86f97d6dd1a3bf"


@pytest.mark.parametrize(("title", "variant"), [("a b", "x/y"), ("a.b", "ż"), ("", ""), ("\ud800", "x")])
def test_metric_key_takes_any_name(title, variant):
    assert len(metric_key(title, variant)) == 65


def test_decode_task_reads_an_item_of_get_all_ex():
    item = {
        "id": "t1",
        "name": "train",
        "type": "training",
        "status": "failed",
        "tags": ["a"],
        "system_tags": ["development"],
        "project": {"id": "p1", "name": "Team/Vision"},
        "last_change": "2026-01-31T12:00:00.123000+00:00",
        "last_update": "2026-01-31T11:00:00.000000+00:00",
        "last_metrics": {
            KEY[:32]: {KEY[33:]: {"metric": "acc", "variant": "val", "value": 0.5, "min_value": 1, "max_value": 2.0}}
        },
    }
    assert decode_task(item) == Event(
        kind="task",
        id="t1",
        changed_ms=1769860800123,
        name="train",
        project="Team/Vision",
        project_id="p1",
        tags=("a",),
        system_tags=("development",),
        status="failed",
        type="training",
        metrics={KEY: Metric(0.5, 1.0, 2.0)},
    )


def test_decode_task_reads_the_least_there_can_be():
    assert decode_task({"id": "t1"}) == Event(kind="task", id="t1", changed_ms=0)


def test_decode_task_tells_datasets_by_their_system_tag():
    assert decode_task({"id": "d", "system_tags": ["dataset"]}).kind == "dataset"


def test_decode_task_takes_values_that_are_no_numbers_as_missing():
    metrics = {"a": {"b": {"value": "text", "min_value": None, "max_value": True}}}
    assert decode_task({"id": "t", "last_metrics": metrics}).metrics == {"a.b": Metric(None, None, None)}


def test_decode_task_takes_numbers_beyond_a_float_as_infinite():
    metrics = {"a": {"b": {"value": 10**400, "min_value": -(10**400)}}}
    assert decode_task({"id": "t", "last_metrics": metrics}).metrics["a.b"] == Metric(math.inf, -math.inf, None)


def test_decode_task_falls_back_to_last_update():
    assert decode_task({"id": "t", "last_update": "1970-01-01T00:00:01+00:00"}).changed_ms == 1000


@pytest.mark.parametrize("task", [{"id": "t9", "name": "x"}, "t9"])
def test_decode_model_reads_an_item_of_get_all_ex(task):
    event = decode_model({"id": "m", "name": "net", "ready": True, "task": task, "project": "p1", "tags": ["x"]})
    assert (event.kind, event.ready, event.task, event.project_id, event.project) == ("model", True, "t9", "p1", "")


def test_decode_model_without_ready_is_not_published():
    assert decode_model({"id": "m", "ready": None, "task": None}).ready is False


def test_concerns_datasets_are_tasks_as_well():
    dataset = Event(kind="dataset", id="d", changed_ms=1)
    assert [kind for kind in ("model", "dataset", "task") if dataset.concerns(kind)] == ["dataset", "task"]
    assert not Event(kind="task", id="t", changed_ms=1).concerns("dataset")
    assert not Event(kind="model", id="t", changed_ms=1).concerns("task")


def test_json_carries_nan_and_infinities():
    metrics = {KEY: Metric(math.nan, -math.inf, math.inf)}
    back = Event.from_json(Event(kind="task", id="t", changed_ms=1, metrics=metrics).to_json()).metrics[KEY]
    assert math.isnan(back.value)
    assert (back.min_value, back.max_value) == (-math.inf, math.inf)


def test_json_leaves_out_what_says_nothing():
    text = Event(kind="model", id="m", changed_ms=5).to_json()
    assert json.loads(text) == {"v": 1, "kind": "model", "id": "m", "changed_ms": 5}
    assert Event.from_json(text) == Event(kind="model", id="m", changed_ms=5)


def test_from_json_refuses_another_version():
    with pytest.raises(Newer, match="run the release that wrote it"):
        Event.from_json(f'{{"v":{KNOWN["event"] + 1},"kind":"model","id":"m","changed_ms":5}}')


@pytest.mark.parametrize(
    ("project", "owner"),
    [("P/.datasets/N", "P"), ("P/Q/.datasets/N", "P/Q"), (".datasets/N", ""), ("P", "P"), ("", "")],
)
def test_dataset_project_leaves_out_the_hidden_part(project, owner):
    assert dataset_project(project) == owner


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-31T12:00:00.123000+00:00",
        "2026-01-31T12:00:00.123000Z",
        "2026-01-31T12:00:00.123000",
        "2026-01-31T14:00:00.123999+02:00",
    ],
)
def test_milliseconds_reads_the_forms_of_the_server(text):
    assert milliseconds(text) == 1769860800123


def test_iso_time_writes_the_form_of_the_server():
    assert iso_time(1769860800123) == "2026-01-31T12:00:00.123000+00:00"
