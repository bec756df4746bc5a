"""Small parts: times, lists, metrics, tokens, fields of answers."""

import math
import re
import subprocess
import sys
from pathlib import Path

import pytest

import triggers
from triggers.sandbox.auth import Gatekeeper, Tokens
from triggers.sandbox.clock import stamp
from triggers.sandbox.errors import ApiError
from triggers.sandbox.filters.lists import read_list
from triggers.sandbox.filters.order import ordered
from triggers.sandbox.filters.times import Times, read_time
from triggers.sandbox.services.metrics import summary


def test_times_are_cut_to_milliseconds():
    assert stamp(1_700_000_000.123_999) == "2023-11-14T22:13:20.123000+00:00"
    assert stamp(1_700_000_000.123_999, 6) == "2023-11-14T22:13:20.123999+00:00"


@pytest.mark.parametrize(
    "text",
    [
        "2023-11-14T22:13:20.123456+00:00",
        "2023-11-14T22:13:20.123Z",
        "2023-11-14T22:13:20.123",
        "2023-11-15T00:13:20.123+02:00",
        "1700000000.123",
    ],
)
def test_times_are_read_in_every_form(text):
    assert read_time(text, "x") == "2023-11-14T22:13:20.123000+00:00"


@pytest.mark.parametrize("text", ["yesterday", "", "=>2023-11-14"])
def test_a_text_that_is_no_time_counts_as_not_given(text):
    assert read_time(text, "x") is None
    assert not Times([text, f">={text}"], "x")


@pytest.mark.parametrize("value", [None, 5])
def test_what_is_no_text_is_no_time_and_refused(value):
    with pytest.raises(ApiError) as error:
        read_time(value, "x")
    assert (error.value.code, error.value.subcode) == (400, 16)


@pytest.mark.parametrize(
    ("given", "any_of", "all_of", "none_of"),
    [
        (["a", "-b"], ["a"], [], ["b"]),
        (["__$all", "a", "-b"], [], ["a", "-b"], []),
        (["__$all", "a", "__$not", "b"], [], ["a"], ["b"]),
        (["__$not", "a", "b"], ["b"], [], ["a"]),
        (["__$any", "-a"], ["-a"], [], []),
        ("a", ["a"], [], []),
        ([None], [None], [], []),
    ],
)
def test_lists_are_read(given, any_of, all_of, none_of):
    wanted = read_list(given)
    assert (wanted.any_of, wanted.all_of, wanted.none_of) == (any_of, all_of, none_of)


def test_order_goes_over_types_and_leaves_missing_values_first():
    objects = [{"v": "b"}, {"v": 2}, {}, {"v": math.nan}, {"v": "a"}, {"v": -1}]
    found = ordered(objects, [("v", False)])
    assert [obj.get("v") for obj in found if obj.get("v") == obj.get("v")] == [None, -1, 2, "a", "b"]
    assert math.isnan(found[1]["v"])


def test_metrics_go_on_from_the_rounded_mean():
    known = None
    for value in (0.5, 0.9, 0.1, 0.3, 0.05, -3, 0, 1.5, 0.2):
        known = summary("acc", "val", [(0, value)], known)
    assert (known["count"], known["mean_value"], known["first_value"]) == (9, 0.07, 0.5)
    assert (known["min_value"], known["max_value"], known["value"]) == (-3, 1.5, 0.2)


def test_metrics_of_one_batch_take_the_highest_iteration_and_of_two_the_later():
    known = summary("m", "v", [(5, 1), (3, 2), (5, 4), (4, 3)], None)
    assert (known["value"], known["first_value"], known["first_value_iteration"]) == (4, 2, 3)
    assert (known["max_value"], known["max_value_iteration"], known["mean_value"]) == (4, 5, 2.5)


def test_tokens_outlive_a_server_with_the_same_secret():
    token = Tokens("secret").issue(1000.0, 60)
    Tokens("secret").check(token, 1059.0)
    with pytest.raises(ApiError, match="expired"):
        Tokens("secret").check(token, 1060.0)
    with pytest.raises(ApiError, match="verification failed"):
        Tokens("another").check(token, 1000.0)


@pytest.mark.parametrize(
    ("header", "subcode"),
    [
        ("", 20),
        ("Nonsense abc", 10),
        ("Basic !!!notbase64", 21),
        ("Basic YWJj", 21),
        ("Basic YTpi", 22),
        ("Bearer", 30),
        ("Bearer a.b.c", 30),
    ],
)
def test_bad_credentials_are_told_apart(header, subcode):
    keeper = Gatekeeper("key", "secret", Tokens("secret"))
    with pytest.raises(ApiError) as error:
        keeper.check({b"authorization": header.encode()} if header else {}, 0.0)
    assert (error.value.code, error.value.subcode) == (401, subcode)


def test_sandbox_imports_nothing_of_the_rest_and_the_rest_nothing_of_it():
    package = Path(triggers.__file__).parent
    for path in package.rglob("*.py"):
        inside = (package / "sandbox") in path.parents
        allowed = path.parent.name == "cli" or "demo" in path.parts or path.stem == "demo"
        for line in path.read_text(encoding="utf-8").splitlines():
            if inside:
                assert not re.match(r"\s*(from|import) (triggers|workers)\b", line), f"{path}: {line}"
            elif not allowed:
                assert not re.match(r"\s*(from|import) .*\bsandbox\b", line), f"{path}: {line}"


def test_plugin_costs_no_web_server_at_the_start_of_pytest():
    names = ("uvicorn", "requests", "triggers")
    code = f"import sys, clearml_triggers.pytest_plugin; print(*({{*{names}}} & set(sys.modules)))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.split() == []
