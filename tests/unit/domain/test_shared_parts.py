"""Thousands of triggers that say the same share it: in memory they cost what tells them apart."""

from __future__ import annotations

from typing import Any

from triggers.model import Trigger, make_trigger
from triggers.rules.conditions import Condition


def made(number: int, **fields: Any) -> Trigger:
    action = {"type": "task", "base_task_id": "b" * 32, "queue": "default"}
    condition = {"trigger_on_status": ["failed"], "trigger_project": " A / B ", "trigger_name": f"^run {number}$"}
    text = make_trigger("task", name=f"t{number}", action=action, **condition, **fields).to_json()
    return Trigger.from_json(text)  # as they come from Redis


def test_fields_that_were_given_are_one_set() -> None:
    one, two, other = made(1), made(2), made(3, owner="@ann")
    assert one.model_fields_set is two.model_fields_set
    assert one.model_fields_set == other.model_fields_set - {"owner"}


def test_a_copy_has_a_set_of_its_own_to_change() -> None:
    one, two = made(1), made(2)
    copied = one.model_copy(update={"owner": "@ann"})
    assert "owner" in copied.model_fields_set
    assert "owner" not in two.model_fields_set


def test_texts_that_many_name_are_one() -> None:
    one, two = made(1), made(2)
    assert one.trigger_project == "A/B"
    assert one.trigger_project is two.trigger_project
    assert one.trigger_on_status is two.trigger_on_status  # type: ignore[attr-defined]


def test_conditions_share_all_but_their_expressions() -> None:
    one, two = Condition.of(made(1)), Condition.of(made(2))
    assert one.certain is two.certain
    assert one.clauses != two.clauses
    shared = [clause for clause in one.clauses if any(clause is other for other in two.clauses)]
    assert len(shared) == len(one.certain) == len(one.clauses) - 1
