"""Conditions: each argument at its edges, and the rows of the table of meanings that concern them."""

from __future__ import annotations

import math
import time

import pytest

from triggers.model.events import Metric, metric_key
from triggers.model.kinds import KINDS
from triggers.model.values import STATUSES
from triggers.rules.conditions import evaluate, matches, rules

METRIC = {"trigger_on_metric": "loss", "trigger_on_variant": "val"}
KEY = metric_key("loss", "val")


def failed(trigger, event):
    return [clause.name for clause in evaluate(trigger, event).failed]


@pytest.mark.parametrize("kind", ["model", "task"])
def test_no_condition_matches_any_object_of_the_kind(make, event, kind):
    assert matches(make(kind), event(kind))
    other = "task" if kind == "model" else "model"
    assert failed(make(kind), event(other)) == ["kind"]


def test_task_triggers_see_datasets_but_dataset_triggers_no_tasks(make, event):
    assert matches(make("task"), event("dataset"))
    assert "kind" in failed(make("dataset"), event("task", status="completed"))


@pytest.mark.parametrize(
    ("status", "matched"),
    [("created", False), ("in_progress", False), ("completed", True), ("published", True), ("failed", False)],
)
def test_dataset_without_on_fires_when_finalized_also_when_published_meanwhile(make, event, status, matched):
    assert matches(make("dataset"), event("dataset", status=status)) is matched


def test_dataset_with_tags_has_to_be_finalized(make, event):
    trigger = make("dataset", trigger_on_tags=["gold"])
    assert failed(trigger, event("dataset", tags=("gold",), status="in_progress")) == ["finalized"]
    assert matches(trigger, event("dataset", tags=("gold",), status="completed"))


def test_dataset_on_publish_wants_published(make, event):
    trigger = make("dataset", trigger_on_publish=True)
    assert matches(trigger, event("dataset", status="published"))
    assert failed(trigger, event("dataset", status="completed")) == ["trigger_on_publish"]


@pytest.mark.parametrize("kind", ["model", "dataset", "task"])
@pytest.mark.parametrize("status", ["completed", "published", "stopped"])
def test_on_archive_wants_the_archived_and_nothing_else(make, event, kind, status):
    trigger = make(kind, trigger_on_archive=True)
    assert matches(trigger, event(kind, status=status, system_tags=("archived",)))
    assert failed(trigger, event(kind, status=status, tags=("archived",))) == ["trigger_on_archive"]


def test_on_archive_of_datasets_leaves_out_archived_plain_tasks(make, event):
    trigger = make("dataset", trigger_on_archive=True)
    assert failed(trigger, event("task", system_tags=("archived",))) == ["kind"]


def test_on_publish_and_on_archive_are_both_wanted(make, event):
    trigger = make("model", trigger_on_publish=True, trigger_on_archive=True)
    assert failed(trigger, event("model", ready=True)) == ["trigger_on_archive"]
    assert failed(trigger, event("model", system_tags=("archived",))) == ["trigger_on_publish"]
    assert matches(trigger, event("model", ready=True, system_tags=("archived",)))


def test_model_on_publish_wants_ready(make, event):
    trigger = make("model", trigger_on_publish=True)
    assert matches(trigger, event("model", ready=True))
    assert failed(trigger, event("model", status="published")) == ["trigger_on_publish"]


def test_task_on_publish_wants_published(make, event):
    trigger = make("task", trigger_on_publish=True)
    assert matches(trigger, event(status="published"))
    assert failed(trigger, event(status="publishing")) == ["trigger_on_publish"]


@pytest.mark.parametrize("argument", ["trigger_on_tags", "trigger_required_tags"])
def test_tags_all_have_to_be_present(make, event, argument):
    trigger = make("model", **{argument: ["a", "b"]})
    assert matches(trigger, event("model", tags=("b", "c", "a")))
    assert failed(trigger, event("model", tags=("a",))) == [argument]
    assert failed(trigger, event("model", tags=("A", "b"))) == [argument]


def test_on_any_tags_wants_one_of_them(make, event):
    trigger = make("task", trigger_on_any_tags=["a", "b"])
    assert matches(trigger, event(tags=("b", "z")))
    assert failed(trigger, event(tags=("z",))) == ["trigger_on_any_tags"]


def test_exclude_tags_wants_none_of_them(make, event):
    trigger = make("task", trigger_exclude_tags=["a", "b"])
    assert matches(trigger, event(tags=("z",)))
    assert failed(trigger, event(tags=("z", "b"))) == ["trigger_exclude_tags"]


@pytest.mark.parametrize("kind", ["model", "dataset", "task"])
def test_on_user_wants_one_who_made_or_last_changed_it(make, event, kind):
    trigger = make(kind, trigger_on_user=["ann", "id of bob"])
    assert matches(trigger, event(kind, status="completed", users=("id of ann", "ann", "id of carl")))
    assert matches(trigger, event(kind, status="completed", users=("id of carl", "carl", "id of bob")))
    assert failed(trigger, event(kind, status="completed", users=("id of carl", "carl", "id of ann"))) == [
        "trigger_on_user"
    ]
    assert failed(trigger, event(kind, status="completed")) == ["trigger_on_user"]


def test_tags_are_looked_up_among_many(make, event):
    many = tuple(f"tag{n}" for n in range(5000))
    assert matches(make("task", trigger_on_tags=[many[0], many[-1]], trigger_exclude_tags=["x"]), event(tags=many))


def test_project_is_exact_and_not_recursive(make, event):
    trigger = make("task", trigger_project="Team/Vision")
    assert matches(trigger, event(project="Team/Vision"))
    for other in ("Team", "Team/Vision/Sub", "team/vision", "Team/Vision2", ""):
        assert failed(trigger, event(project=other)) == ["trigger_project"]


def test_project_of_a_dataset_is_that_of_its_hidden_project(make, event):
    trigger = make("dataset", trigger_project="Team")
    assert matches(trigger, event("dataset", status="completed", project="Team/.datasets/later made"))
    assert not matches(trigger, event("dataset", status="completed", project="Team/Sub/.datasets/x"))


def test_project_of_a_task_trigger_takes_a_datasets_project_as_it_is(make, event):
    assert not matches(make("task", trigger_project="Team"), event("dataset", project="Team/.datasets/x"))


def test_project_id_is_compared_where_only_that_is_known(make, event):
    trigger = make("task", project_id="p1")
    assert matches(trigger, event(project="renamed", project_id="p1"))
    assert failed(trigger, event(project="p1", project_id="p2")) == ["trigger_project"]


@pytest.mark.parametrize("status", STATUSES)
def test_every_status_means_itself(make, event, status):
    trigger = make("task", trigger_on_status=[status])
    assert [other for other in STATUSES if matches(trigger, event(status=other))] == [status]


def test_status_is_any_of_those_named(make, event):
    trigger = make("task", trigger_on_status=["failed", "stopped"])
    assert matches(trigger, event(status="stopped"))
    assert failed(trigger, event(status="")) == ["trigger_on_status"]


def test_exclude_dev_leaves_out_what_was_run_by_hand(make, event):
    trigger = make("task", trigger_exclude_dev_tasks=True)
    assert matches(trigger, event())
    assert failed(trigger, event(system_tags=("development",))) == ["trigger_exclude_dev_tasks"]


@pytest.mark.parametrize(
    ("sign", "metric", "matched"),
    [
        ("max", Metric(0.0, 0.0, 0.5), True),  # bounds are inclusive
        ("maximum", Metric(0.0, 0.0, 0.5), True),
        ("max", Metric(0.9, 0.9, 0.4999), False),
        ("min", Metric(0.9, 0.5, 0.9), True),
        ("minimum", Metric(0.9, 0.5, 0.9), True),
        (None, Metric(0.9, 0.5, 0.9), True),  # the default
        ("min", Metric(0.1, 0.5001, 0.1), False),
        ("max", Metric(1.0, 1.0, math.nan), False),
        ("min", Metric(0.0, math.nan, 0.0), False),
        ("max", Metric(None, None, math.inf), True),
        ("min", Metric(None, -math.inf, None), True),
        ("max", Metric(None, None, -math.inf), False),
        ("min", Metric(0.1, None, 0.1), False),
        ("max", None, False),
        ("min", None, False),  # the original also fires for tasks without the metric
    ],
)
def test_threshold(make, event, sign, metric, matched):
    trigger = make("task", **METRIC, trigger_on_threshold=0.5, trigger_on_sign=sign)
    seen = event(metrics={} if metric is None else {KEY: metric})
    assert failed(trigger, seen) == ([] if matched else ["trigger_on_threshold"])


@pytest.mark.parametrize(("low", "matched"), [(0.0, True), (-0.0, True), (-3.0, True), (1e-300, False)])
def test_threshold_zero_is_a_threshold(make, event, low, matched):
    trigger = make("task", **METRIC, trigger_on_threshold=0)
    assert matches(trigger, event(metrics={KEY: Metric(low, low, low)})) is matched


def test_threshold_may_be_negative(make, event):
    trigger = make("task", **METRIC, trigger_on_threshold=-1, trigger_on_sign="max")
    assert matches(trigger, event(metrics={KEY: Metric(-2, -2, -1)}))
    assert not matches(trigger, event(metrics={KEY: Metric(-2, -2, -1.5)}))


@pytest.mark.parametrize(
    ("direction", "value", "matched"),
    [
        ("above", 0.5, True),
        ("above", 0.4, False),
        ("below", 0.5, True),
        ("below", 0.6, False),
        ("below", math.nan, False),
        ("above", None, False),
    ],
)
def test_sign_last_compares_the_latest_value_so_that_a_metric_can_come_back(make, event, direction, value, matched):
    trigger = make("task", **METRIC, trigger_on_threshold=0.5, trigger_on_sign="last", trigger_on_direction=direction)
    assert matches(trigger, event(metrics={KEY: Metric(value, -99.0, 99.0)})) is matched


@pytest.mark.parametrize(
    ("title", "variant"), [("val loss", "top 5"), ("a/b", "c.d"), ("strata", "żółć"), ("a.b", "c")]
)
def test_metrics_are_found_by_any_name(make, event, title, variant):
    trigger = make(
        "task", trigger_on_metric=title, trigger_on_variant=variant, trigger_on_threshold=1, trigger_on_sign="max"
    )
    assert trigger.watched_metrics() == {metric_key(title, variant)}
    assert matches(trigger, event(metrics={metric_key(title, variant): Metric(1, 1, 1)}))
    assert not matches(trigger, event(metrics={metric_key(title + " ", variant): Metric(1, 1, 1)}))


@pytest.mark.parametrize(
    ("pattern", "names"),
    [  # recorded on the server: clearml_api, scenario filter_names
        ("alpha", ["alpha one"]),
        ("^alpha", ["alpha one"]),
        ("Alpha", ["Alpha two"]),
        ("(?i)^alpha", ["alpha one", "Alpha two"]),
        ("beta.one", ["beta.one", "beta+one"]),
        (r"beta\.one", ["beta.one"]),
        ("one$", ["alpha one", "beta.one", "beta+one"]),
        ("(gamma) [1]", []),
        (r"\(gamma\) \[1\]", ["(gamma) [1]"]),
        ("zażółć", ["zażółć"]),
        ("a|b", ["alpha one", "Alpha two", "beta.one", "beta+one", "(gamma) [1]", "zażółć"]),
    ],
)
def test_name_is_searched_as_the_server_does(make, event, pattern, names):
    trigger = make("task", trigger_name=pattern)
    everything = ["alpha one", "Alpha two", "beta.one", "beta+one", "(gamma) [1]", "zażółć"]
    assert [name for name in everything if matches(trigger, event(name=name))] == names


def test_name_of_ten_thousand_characters(make, event):
    name = "x" * 10_000 + "end"
    assert matches(make("task", trigger_name="end$"), event(name=name))
    clause = evaluate(make("task", trigger_name="^y"), event(name=name)).failed[0]
    assert len(clause.found) < 300


def test_name_pattern_that_backtracks_stalls_nothing_and_says_so(make, event):
    trigger = make("task", trigger_name="^(a|aa)+$")
    started = time.process_time()
    assert not matches(trigger, event(name="a" * 100 + "!"))
    assert time.process_time() - started < 2
    verdict = evaluate(trigger, event(name="a" * 100 + "!"))
    assert not verdict.matched
    assert "takes too long" in verdict.clauses[-1].found


def test_evaluate_explains_every_clause_in_words(make, event):
    trigger = make(
        "task",
        **METRIC,
        trigger_on_threshold=0.1,
        trigger_project="P",
        trigger_on_status=["failed", "stopped"],
        trigger_on_tags=["a"],
        trigger_exclude_dev_tasks=True,
        trigger_name="^run",
    )
    seen = event(project="Q", status="completed", system_tags=("development",), name="x", metrics={})
    told = {clause.name: (clause.wanted, clause.found) for clause in evaluate(trigger, seen).clauses}
    assert told == {
        "kind": ("a task", "a task"),
        "trigger_on_status": ("status failed or stopped", "completed"),
        "trigger_exclude_dev_tasks": ("run by an agent", "run by hand"),
        "trigger_on_threshold": ("minimum of loss/val <= 0.1", "no such metric"),
        "trigger_project": ("project P", "Q"),
        "trigger_on_tags": ("all of the tags a", "no tags"),
        "trigger_name": ("a name in which '^run' is found", "x"),
    }


def test_every_rule_is_named_as_an_argument_of_its_kind(make):
    fields = {kind: set(type(make(kind)).model_fields) for kind in KINDS}
    for kind, of_kind in ((kind, rules(type(make(kind)))) for kind in KINDS):
        assert {rule.name for rule in of_kind} <= fields[kind] | {"finalized", "schedule"}
