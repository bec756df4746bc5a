"""References inside the texts of actions."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triggers.actions import Comment, Enqueue, SetMetadata, Tag, Webhook, texts
from triggers.actions.listed import InvalidAction, Listed
from triggers.base.errors import InvalidTrigger
from triggers.model import make_trigger
from triggers.model.events import Event, metric_key
from triggers.model.trigger import check_new

VALUES = texts.values_of(
    Event(kind="task", id="t1", changed_ms=1, name="train", project="P/Q", status="failed", tags=("a", "b")),
    url="http://web/t1",
    trigger="alert",
    firing="k1",
    at="2026-01-31T12:00:00.000Z",
    launched="l1",
    launched_url="http://web/l1",
)
METRICS = {metric_key("loss", "train"): 0.25, metric_key("a/b", "c"): 3.0, metric_key("nan", "x"): math.nan}
FOUND = texts.lookup(VALUES, METRICS)


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("${object.id} ${object.name} ${object.project} ${object.url}", "t1 train P/Q http://web/t1"),
        ("${object.status}: ${object.tags}", "failed: a, b"),
        ("${trigger.name} ${firing.key} ${firing.at}", "alert k1 2026-01-31T12:00:00.000Z"),
        ("${launched.id} ${launched.url}", "l1 http://web/l1"),
        ("${object.metric[loss/train]}", "0.25"),
        ("${object.metric[a/b/c]}", "3"),
        ("${object.metric[nan/x]}", "nan"),
        ("${object.metric[no/such]}", "none"),
        ("$${object.id} $$ ${object.id}", "${object.id} $$ t1"),
        ("costs $5 {x}", "costs $5 {x}"),
    ],
)
def test_a_reference_is_replaced_by_what_it_stands_for(text: str, filled: str) -> None:
    assert texts.problem_of(text) == ""
    assert texts.fill(text, FOUND) == filled


def test_texts_are_filled_at_any_depth_and_keys_stay() -> None:
    value = {"${object.id}": ["${object.id}", {"x": ("${object.name}", 1, None, True)}]}
    assert texts.fill(value, FOUND) == {"${object.id}": ["t1", {"x": ["train", 1, None, True]}]}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("${object.nam}", "did you mean ${object.name}?"),
        ("${task.id}", "did you mean ${object.id}?"),
        ("${model.name}", "did you mean ${object.name}?"),
        ("${launch.id}", "did you mean ${launched.id}?"),
        ("${zzz}", "there are ${object.id}"),
        ("${}", "there are ${object.id}"),
        ("${object.metric}", "did you mean ${object.metric[title/series]}?"),
        ("${object.metric[loss]}", "did you mean ${object.metric[title/series]}?"),
        ("${object.metrics[loss/train]}", "did you mean ${object.metric[title/series]}?"),
        ("${env:TOKEN}", "is a secret, which this text cannot contain"),
        ("${object.id", "has no }"),
        ("a ${object.id ${object.name}", "has no }"),
    ],
)
def test_an_unknown_reference_is_refused_with_a_suggestion(text: str, said: str) -> None:
    assert said in texts.problem_of({"deep": [text]})


def test_a_model_has_a_status_and_no_metrics() -> None:
    model = Event(kind="model", id="m", changed_ms=1, ready=True)
    assert texts.values_of(model, url="", trigger="", firing="", at="")["object.status"] == "published"
    assert "a model has no metrics" in texts.problem_of("${object.metric[a/b]}", kind="model")
    assert texts.problem_of("${object.metric[a/b]}", kind="task") == ""


def test_what_an_object_is_called_is_never_a_reference_itself() -> None:
    hostile = texts.lookup({**VALUES, "object.name": "${env:TOKEN} ${object.id}"}, {})
    assert texts.fill("${object.name}", hostile) == "${env:TOKEN} ${object.id}"


@given(st.text(alphabet="${}ab.:[]/ objectid\n", max_size=40))
def test_whatever_passes_the_check_can_be_filled(text: str) -> None:
    if not texts.problem_of(text):
        assert isinstance(texts.fill(text, FOUND), str)


@given(st.recursive(st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=8))
def test_a_text_that_is_escaped_comes_out_as_it_was(value: object) -> None:
    escaped = texts.map_texts(value, lambda text: text.replace("$", "").replace("{", "$${x}"))
    plain = texts.map_texts(value, lambda text: text.replace("$", "").replace("{", "${x}"))
    assert texts.fill(escaped, FOUND) == plain


@pytest.mark.parametrize(
    "make",
    [
        lambda: Enqueue("${object.name}"),
        lambda: SetMetadata({"${object.id}": 1}),
        lambda: Webhook("https://h.example/", body={"a": [{"${object.id}": 1}]}),
    ],
)
def test_a_reference_where_nothing_is_replaced_is_refused_in_new_triggers_alone(make: Callable[[], Listed]) -> None:
    with pytest.raises(InvalidAction, match="cannot be used here"):
        make()
    assert Enqueue("$${x}").queue == "$${x}"
    stored = {"type": "enqueue", "queue": "${object.name}"}
    kept = make_trigger("task", name="t", trigger_name="x", action=stored)
    with pytest.raises(InvalidTrigger, match="cannot be used here"):
        check_new(kept)


def test_a_threshold_of_nan_says_how_to_react_to_nan() -> None:
    with pytest.raises(InvalidTrigger, match=r"Logger\.set_reporting_nan_value\(1e30\).*trigger_on_sign='max'"):
        make_trigger(
            "task", name="t", action=Enqueue("q"), trigger_on_metric="loss", trigger_on_variant="train",
            trigger_on_threshold=math.nan,
        )  # fmt: skip


@pytest.mark.parametrize(
    "make", [lambda: SetMetadata("\ud800"), lambda: Comment("${\ud800}"), lambda: Tag(**{"\ud800": ["a"]})]
)
def test_a_lone_surrogate_in_a_wrong_value_is_an_error_like_any_other(make: Callable[[], Listed]) -> None:
    with pytest.raises(InvalidAction) as caught:
        make()
    assert str(caught.value).encode()
