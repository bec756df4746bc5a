"""`help(TriggerScheduler.add_model_trigger)` and its siblings explain every argument as its field declares it."""

from __future__ import annotations

import inspect
import re
from typing import Any, get_args, get_type_hints

import pytest

from tests import docstrings
from triggers import FiringInfo, TriggerScheduler
from triggers.client import argument_types
from triggers.model import Policy
from triggers.model.schedule_values import WEEKDAYS
from triggers.model.task_fields import TaskConditions
from triggers.model.values import _DIRECTIONS, _SIGNS, STATUSES

CALLS = pytest.mark.parametrize("name", docstrings.calls())
METHODS = ["__init__", "start", "start_remotely", "register", "get_triggers"]


def sections(text: str) -> dict[str, str]:
    """Google style: heading → body."""
    found = re.split(r"^(Args|Returns|Raises|Example):$", inspect.cleandoc(text), flags=re.MULTILINE)
    return dict(zip(found[1::2], found[2::2], strict=True))


def test_files_have_the_docstrings_that_the_fields_make() -> None:
    stale = [path.name for path, text in docstrings.files() if path.read_text() != text]
    assert not stale, "python -m tests.docstrings writes them"


@CALLS
def test_every_argument_of_an_add_call_has_a_description_a_type_and_a_default(name: str) -> None:
    kind, call = docstrings.calls()[name]
    text = sections(call.__doc__ or "")
    assert set(text) == {"Args", "Returns", "Raises", "Example"}
    parameters = [each for each in inspect.signature(call).parameters if each != "self"]
    explained = re.findall(r"^    (\w+) \((.+), (?:optional|default .+?)\): \S", text["Args"], re.MULTILINE)
    assert [each for each, _ in explained] == parameters
    assert [each for each in parameters if len(docstrings.of_argument(kind, each)) < 20] == []


@CALLS
def test_a_reference_in_a_description_is_that_of_the_kind(name: str) -> None:
    kind, _ = docstrings.calls()[name]
    assert set(re.findall(r"\$\{(\w+)\.(?:id|at)}", docstrings.section(name))) == {kind}


@pytest.mark.parametrize("method", METHODS)
def test_every_argument_of_the_other_calls_is_explained(method: str) -> None:
    call = getattr(TriggerScheduler, method)
    text = sections(call.__doc__ or "")
    parameters = [name for name in inspect.signature(call).parameters if name != "self"]
    explained = re.findall(r"^    (\w+) \((.+), (?:optional|default .+?)\): \S", text.get("Args", ""), re.MULTILINE)
    assert [name for name, _ in explained] == parameters
    assert "Raises" in text or method == "get_triggers"


def test_literal_types_of_arguments_have_the_values_that_their_fields_accept() -> None:
    assert get_args(argument_types.Status) == STATUSES
    assert get_args(argument_types.Sign) == tuple(_SIGNS)
    assert get_args(argument_types.Direction) == _DIRECTIONS
    assert get_args(argument_types.Weekday) == WEEKDAYS
    for field, words in (("fire", argument_types.Fire), ("overlap", argument_types.Overlap)):
        assert get_args(Policy.model_fields[field].annotation) == get_args(words)


def test_keys_of_a_query_are_the_fields_of_its_model() -> None:
    from triggers.actions.task_query import BaseTaskQuery

    assert set(get_type_hints(argument_types.TaskQuery)) == set(BaseTaskQuery.model_fields)


def test_keys_of_firing_info_are_documented_and_have_these_types() -> None:
    documented = re.findall(r"^    (\w+): ", inspect.cleandoc(FiringInfo.__doc__ or ""), re.MULTILINE)
    assert documented == list(get_type_hints(FiringInfo))


def test_a_field_of_a_condition_without_a_description_is_seen() -> None:
    fields: dict[str, Any] = {name: one.description for name, one in TaskConditions.model_fields.items()}
    assert [name for name, text in fields.items() if not text] == []
