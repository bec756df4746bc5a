"""Triggers that undo each other's edits are found; those that cannot meet are not."""

from __future__ import annotations

from typing import Any

import pytest

from triggers.model import Trigger, make_trigger
from triggers.rules.undoing import undoing


def editing(
    name: str, action: dict[str, Any], kind: str = "task", fire: str = "while_true", project: str | None = None
) -> Trigger:
    return make_trigger(kind, name=name, action=action, policy={"fire": fire}, trigger_project=project)  # type: ignore[arg-type]


def tagging(
    name: str, kind: str = "task", fire: str = "while_true", project: str | None = None, **tags: Any
) -> Trigger:
    return editing(name, {"type": "tag", **tags}, kind, fire, project)


def launching(name: str, action: dict[str, Any], kind: str = "task", **launch: Any) -> Trigger:
    """A trigger that edits the ClearML task that it launches."""
    first = {"type": "task", "base_task_id": "b", "queue": "q", **launch}
    return make_trigger(kind, name=name, action=first, actions=[{**action, "on": "launched"}])


def test_what_one_adds_and_another_removes() -> None:
    (found,) = undoing([tagging("a", add=["x", "y"]), tagging("b", remove=["x", "z"]), tagging("c", add=["q"])])
    assert (found.does, found.undoes, found.names, found.endless) == ("a", "b", ("x",), True)
    assert found.words == "trigger 'b' removes 'x', which trigger 'a' adds, for as long as both fire for an object"


def test_each_way_round() -> None:
    both = [tagging("a", add=["x"], remove=["y"]), tagging("b", add=["y"], remove=["x"])]
    assert {(one.does, one.undoes) for one in undoing(both)} == {("a", "b"), ("b", "a")}


def test_a_chain_of_three_that_begins_anew() -> None:
    chain = [
        tagging("a", add=["y"], remove=["x"]),
        tagging("b", add=["z"], remove=["y"]),
        tagging("c", add=["x"], remove=["z"]),
    ]
    assert {(one.does, one.undoes, one.names) for one in undoing(chain)} == {
        ("a", "b", ("y",)),
        ("b", "c", ("z",)),
        ("c", "a", ("x",)),
    }


def test_tags_differ_by_case_as_on_the_server() -> None:
    assert list(undoing([tagging("a", add=["Ready"]), tagging("b", remove=["ready"])])) == []
    assert list(undoing([tagging("a", add=["Ready "]), tagging("b", remove=["Ready"])])), "blanks around are left out"


@pytest.mark.parametrize(
    ("does", "undoes", "said"),
    [
        ({"type": "archive"}, {"type": "unarchive"}, "trigger 'b' takes objects out of the archive"),
        ({"type": "enqueue", "queue": "q"}, {"type": "dequeue"}, "trigger 'b' takes ClearML tasks out of the queue"),
    ],
)
def test_what_is_no_tag(does: dict[str, Any], undoes: dict[str, Any], said: str) -> None:
    (found,) = undoing([editing("b", undoes), editing("a", does)])
    assert found.words.startswith(said)


def test_two_values_of_one_key_are_reported_once() -> None:
    def writing(name: str, **metadata: Any) -> Trigger:
        return editing(name, {"type": "set_metadata", "metadata": metadata}, kind="model")

    (found,) = undoing([writing("b", stage="new", same=1), writing("a", stage="old", same=1, other=2)])
    assert found.words.startswith("trigger 'b' writes another value than trigger 'a' into metadata 'stage'")


def test_it_ends_where_one_fires_once() -> None:
    (found,) = undoing([tagging("a", add=["x"]), tagging("b", fire="once", remove=["x"])])
    assert not found.endless


ADDS, REMOVES = {"type": "tag", "add": ["x"]}, {"type": "tag", "remove": ["x"]}


@pytest.mark.parametrize(
    "other",
    [
        tagging("b", kind="model", remove=["x"]),
        tagging("b", project="Other", remove=["x"]),
        tagging("b", remove=["y"]),
        tagging("b", add=["x"]),
        launching("b", REMOVES),
        launching("b", REMOVES, target_project="Other"),
    ],
)
def test_those_that_cannot_meet(other: Trigger) -> None:
    assert list(undoing([tagging("a", project="Here", add=["x"]), other])) == []


@pytest.mark.parametrize("project", [None, "Here"])
def test_what_a_trigger_does_to_its_launch_another_can_undo(project: str | None) -> None:
    launches = launching("a", ADDS, kind="model", target_project="Here")
    (found,) = undoing([launches, tagging("b", project=project, remove=["x"])])
    assert found.words == "trigger 'b' removes 'x', which trigger 'a' adds"
    (found,) = undoing([launching("a", REMOVES, target_project="Here"), tagging("b", project=project, add=["x"])])
    assert found.words == "trigger 'a' removes 'x', which trigger 'b' adds"


def test_two_launches_are_two_tasks() -> None:
    assert list(undoing([launching("a", ADDS), launching("b", REMOVES)])) == []


def test_a_dataset_is_a_clearml_task_too() -> None:
    assert list(undoing([tagging("a", add=["x"]), tagging("b", kind="dataset", remove=["x"])]))


def test_many_triggers_that_add_one_tag_are_no_pairs() -> None:
    """As many as a large registry has: they are looked at by what they change, not each beside each."""
    many = [tagging(f"t{n}", add=["seen", f"only {n}"]) for n in range(500)]
    (found,) = undoing([*many, tagging("last", remove=["only 3"])])
    assert (found.does, found.undoes) == ("t3", "last")
