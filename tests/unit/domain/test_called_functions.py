from __future__ import annotations

import functools
import json
import os.path

import pytest

from triggers.actions.functions import call, display_name, load, reference_of
from triggers.base.errors import LaunchImpossible


class Thing:
    def method(self, object_id, firing=None):
        return (object_id, firing)

    @staticmethod
    def static(object_id):
        return object_id

    @classmethod
    def of_class(cls, object_id):
        return object_id

    def __call__(self, object_id):
        return object_id


def test_reference_names_what_another_process_can_import():
    assert reference_of(json.dumps) == "json:dumps"
    assert load("json:dumps") is json.dumps
    for function in (Thing.static, Thing.of_class):
        assert load(reference_of(function)) == function


def nested():
    return lambda object_id: object_id


@pytest.mark.parametrize(
    "function",
    [lambda i: i, nested(), Thing().method, Thing(), functools.partial(print, 1)],
    ids=["lambda", "nested", "method", "instance", "partial"],
)
def test_reference_of_what_cannot_be_imported_says_so(function):
    with pytest.raises(ValueError, match=r"imported|something else"):
        reference_of(function)


def test_reference_of_the_script_itself_says_so():
    def script_function(object_id):
        return object_id

    script_function.__module__, script_function.__qualname__ = "__main__", "script_function"
    with pytest.raises(ValueError, match="move it into a module"):
        reference_of(script_function)


@pytest.mark.parametrize("reference", ["no.such.module:f", "json:nothing", "json:__name__"])
def test_load_of_what_is_not_there_is_permanent(reference):
    with pytest.raises(LaunchImpossible):
        load(reference)


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (lambda object_id: object_id, "o"),
        (lambda object_id, firing: (object_id, firing), ("o", "f")),
        (lambda object_id, *, firing=None: (object_id, firing), ("o", "f")),
        (lambda firing: firing, "o"),  # the only parameter is the object's id, whatever its name
        (lambda object_id, **others: others, {}),
        (Thing().method, ("o", "f")),
        (Thing(), "o"),
        (os.path.basename, "o"),
        (str, "o"),
    ],
)
def test_call_passes_the_firing_to_those_that_have_a_parameter_for_it(function, expected):
    assert call(function, "o", "f") == expected


def test_display_name_is_for_people():
    assert display_name(json.dumps) == "json.dumps"
    assert display_name(functools.partial(print, 1)).endswith("partial")
