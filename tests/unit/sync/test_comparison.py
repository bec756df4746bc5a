from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triggers.model import Trigger, make_trigger
from triggers.sync.compare import compare


def trigger(queue: str, name: str = "one") -> Trigger:
    action = {"type": "task", "base_task_id": "b" * 32, "queue": queue}
    return make_trigger("task", name=name, action=action, trigger_on_status=["failed"])


A, B, C = trigger("a"), trigger("b"), trigger("c")
STATES: list[Trigger | None] = [None, A, B, C]


def sides(was: Trigger | None, there: Trigger | None, here: Trigger | None) -> tuple:
    return (
        {was.id: was.digest} if was else {},
        {there.id: there} if there else {},
        {here.id: here.digest} if here else {},
    )


def digests(of: dict[str, Trigger]) -> dict[str, str]:
    return {id_: one.digest for id_, one in of.items()}


@pytest.mark.parametrize(("was", "there", "here"), list(itertools.product(STATES, repeat=3)))
def test_every_combination_of_three_sides(was: Trigger | None, there: Trigger | None, here: Trigger | None) -> None:
    result = compare(*sides(was, there, here))
    if there == here:
        assert (dict(result.edits), result.rewrite) == ({}, False)
    elif there == was:
        assert (dict(result.edits), result.rewrite) == ({}, True)
    else:
        assert dict(result.edits) == {A.id: there}
        assert result.overruled == ((A.id,) if here != was else ())


@given(st.lists(st.tuples(*[st.sampled_from(["", "a", "b", "c"])] * 3), max_size=5))
def test_both_sides_say_the_same_afterwards(rows: list[tuple[str, str, str]]) -> None:
    def side(index: int) -> dict[str, Trigger]:
        made = [trigger(row[index], f"t{number}") for number, row in enumerate(rows) if row[index]]
        return {one.id: one for one in made}

    was, there, here = side(0), side(1), side(2)
    result = compare(digests(was), there, digests(here))
    registry = {id_: one for id_, one in {**here, **result.edits}.items() if one is not None}
    rewritten = registry if result.rewrite else there
    assert rewritten == registry
    again = compare(digests(registry), registry, digests(registry))
    assert (dict(again.edits), again.rewrite) == ({}, False)
