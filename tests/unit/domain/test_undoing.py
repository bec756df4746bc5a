"""Triggers that undo each other's tags are found; those that cannot meet are not."""

from __future__ import annotations

from typing import Any

import pytest

from triggers.model import Trigger, make_trigger
from triggers.rules.undoing import undoing


def tagging(
    name: str, kind: str = "task", fire: str = "while_true", project: str | None = None, **tags: Any
) -> Trigger:
    action = {"type": "tag", **tags}
    return make_trigger(kind, name=name, action=action, policy={"fire": fire}, trigger_project=project)  # type: ignore[arg-type]


def test_what_one_adds_and_another_removes() -> None:
    (found,) = undoing([tagging("a", add=["x", "y"]), tagging("b", remove=["x", "z"]), tagging("c", add=["q"])])
    assert (found.adds, found.removes, found.tags, found.endless) == ("a", "b", ("x",), True)
    assert found.words == "trigger 'b' removes 'x', which trigger 'a' adds, for as long as both fire for an object"


def test_each_way_round() -> None:
    both = [tagging("a", add=["x"], remove=["y"]), tagging("b", add=["y"], remove=["x"])]
    assert {(one.adds, one.removes) for one in undoing(both)} == {("a", "b"), ("b", "a")}


def test_it_ends_where_one_fires_once() -> None:
    (found,) = undoing([tagging("a", add=["x"]), tagging("b", fire="once", remove=["x"])])
    assert not found.endless


@pytest.mark.parametrize(
    "other",
    [
        {"kind": "model", "remove": ["x"]},
        {"project": "Other", "remove": ["x"]},
        {"remove": ["y"]},
        {"add": ["x"]},
        {"on": "launched", "remove": ["x"]},
    ],
)
def test_those_that_cannot_meet(other: dict[str, Any]) -> None:
    if other.get("on"):
        action = {"type": "task", "base_task_id": "b", "queue": "q"}
        last = make_trigger("task", name="b", action=action, actions=[{"type": "tag", **other}])
    else:
        last = tagging("b", **other)
    assert list(undoing([tagging("a", project="Here", add=["x"]), last])) == []


def test_a_dataset_is_a_clearml_task_too() -> None:
    assert list(undoing([tagging("a", add=["x"]), tagging("b", kind="dataset", remove=["x"])]))
