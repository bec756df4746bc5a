"""The plan of a registry's next version is as one made from nothing, whatever it keeps of the version before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.property.domain_strategies import events, trigger_lists
from triggers.context.context import Plan
from triggers.ledger.registry.registry import Entry, Snapshot
from triggers.model import Trigger


def snapshot(version: int, entries: Sequence[Entry]) -> Snapshot:
    return Snapshot(version, {entry.trigger.id: entry for entry in entries})


def entry(trigger: Trigger) -> Entry:
    return Entry(trigger, 0, 1, "file")


def edited(draw: Any, one: Entry, others: Sequence[Trigger]) -> list[Entry]:
    """What becomes of an entry by an edit; read anew, an equal trigger is another object."""
    how = draw(st.sampled_from(["same", "paused", "retired", "removed", "edited"]))
    again = Entry.from_json(one.trigger.id, one.to_json())
    alike = [other.model_copy(update={"name": one.trigger.name}) for other in others if other.kind == one.trigger.kind]
    if how == "edited" and alike:
        return [replace(again, trigger=draw(st.sampled_from(alike)))]
    return {"same": [one], "removed": []}.get(how, [replace(again, paused=how == "paused", retired=how == "retired")])


@given(data=st.data(), triggers=trigger_lists(), others=trigger_lists(), seen=st.lists(events(), max_size=10))
def test_a_plan_that_keeps_parts_of_the_last_one_finds_the_same(
    data: Any, triggers: list[Trigger], others: list[Trigger], seen: list[Any]
) -> None:
    known = [entry(trigger) for trigger in triggers]
    before = Plan.of(snapshot(1, known))
    for version in (2, 3):
        known = [found for one in known for found in edited(data.draw, one, others)]
        after, anew = Plan.of(snapshot(version, known), before), Plan.of(snapshot(version, known))
        for event in seen:
            found = [[one.id for one in plan.index.candidates(event)] for plan in (after, anew)]
            assert found[0] == found[1]
            assert [after.conditions[id_].matches(event) for id_ in found[0]] == [
                anew.conditions[id_].matches(event) for id_ in found[0]
            ]
        assert (after.entries, after.transitions) == (anew.entries, anew.transitions)
        before = after


@given(triggers=trigger_lists())
def test_a_pause_builds_no_index(triggers: list[Trigger]) -> None:
    known = [entry(trigger) for trigger in triggers]
    before = Plan.of(snapshot(1, known))
    paused = [replace(Entry.from_json(one.trigger.id, one.to_json()), paused=True) for one in known]
    assert Plan.of(snapshot(2, paused), before).index is before.index
    assert Plan.of(snapshot(3, paused[1:]), before).index is not before.index or not known
