from __future__ import annotations

import pytest

from triggers.model.events import Metric, metric_key
from triggers.rules.index import Index


def names(index, event):
    return [trigger.name for trigger in index.candidates(event)]


@pytest.mark.parametrize(
    ("condition", "near", "far"),
    [
        ({"trigger_project": "P"}, {"project": "P"}, {"project": "Q"}),
        ({"project_id": "p"}, {"project_id": "p"}, {"project_id": "q"}),
        ({"trigger_on_tags": ["a", "b"]}, {"tags": ("a", "b")}, {"tags": ("c",)}),
        ({"trigger_on_any_tags": ["a", "b"]}, {"tags": ("b",)}, {"tags": ("c",)}),
        ({"trigger_on_status": ["failed", "stopped"]}, {"status": "stopped"}, {"status": "completed"}),
        ({"trigger_on_publish": True}, {"status": "published"}, {"status": "completed"}),
        ({"trigger_on_archive": True}, {"system_tags": ("archived",)}, {}),
        ({"trigger_name": r"^a\.b$"}, {"name": "a.b"}, {"name": "axb"}),
        ({"trigger_name": r"^ab$"}, {"name": "ab\n"}, {"name": "ab\n\n"}),
        (
            {"trigger_on_metric": "m", "trigger_on_variant": "v", "trigger_on_threshold": 1},
            {"metrics": {metric_key("m", "v"): Metric(0, 0, 0)}},
            {},
        ),
    ],
)
def test_candidates_leave_out_what_cannot_match(make, event, condition, near, far):
    index = Index([make("task", **condition)])
    assert names(index, event(**near)) == ["t"]
    assert names(index, event(**far)) == []
    assert names(index, event("model", **near)) == []


def test_candidates_go_by_the_rarest_requirement(make, event):
    crowd = [make("task", name=f"t{n}", trigger_on_status=["failed"], trigger_project=f"p{n}") for n in range(50)]
    assert names(Index(crowd), event(status="failed", project="p7")) == ["t7"]


def test_candidates_come_once_and_in_order(make, event):
    index = Index(
        [
            make("task", name="a", trigger_on_any_tags=["x", "y"]),
            make("dataset", name="b", trigger_project="P"),
            make("task", name="c"),
        ]
    )
    assert names(index, event("dataset", tags=("y", "x"), status="completed", project="P/.datasets/d")) == [
        "a",
        "b",
        "c",
    ]


def test_candidates_of_any_event_include_triggers_without_condition(make, event):
    index = Index([make("task"), make("model", trigger_exclude_tags=["x"])])
    assert names(index, event()) == ["t"]
    assert names(index, event("model", tags=("x",))) == ["t"]


def test_candidates_of_publishing_and_finalizing(make, event):
    index = Index([make("model", trigger_on_publish=True, name="m"), make("dataset", name="d")])
    assert names(index, event("model", ready=True)) == ["m"]
    assert names(index, event("model")) == []
    assert names(index, event("dataset", status="published")) == ["d"]
    assert names(index, event("dataset", status="in_progress")) == []


def test_index_of_nothing(event):
    assert list(Index([]).candidates(event())) == []
    assert Index([]).triggers == ()
