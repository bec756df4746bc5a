"""An action is added by a class and a line: it is declared in every form, carried out, retried, and seen everywhere."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Literal

import pytest

from tests.integration.cli_verbs.conftest import run
from tests.integration.stages.conftest import World
from triggers.actions.action import Action
from triggers.actions.attempt import Attempt
from triggers.actions.table import ACTIONS
from triggers.base.errors import Permanent, Transient
from triggers.configuration.document import parse
from triggers.configuration.schema import schema
from triggers.configuration.writing import dump
from triggers.model import Trigger, make_trigger
from triggers.sync.sections import as_written, read_section, write_section


class Ringing(Action):
    """Ring a bell: all that an action has to be."""

    type: Literal["ring"] = "ring"
    bell: str
    times: int = 1

    rung: ClassVar[list[tuple[str, str]]] = []
    faults: ClassVar[list[Exception]] = []

    def words(self) -> str:
        return f"ring {self.bell}"

    def carry_out(self, attempt: Attempt) -> None:
        if self.faults:
            raise self.faults.pop()
        self.rung.append((self.bell, attempt.firing.object))
        attempt.launched("")


@pytest.fixture(autouse=True)
def _known() -> Iterator[None]:
    ACTIONS["ring"] = Ringing
    yield
    del ACTIONS["ring"]
    Ringing.rung.clear()
    Ringing.faults.clear()


def ringing(bell: str = "the great bell") -> Trigger:
    return make_trigger(
        "task", name="ring", trigger_on_status=["failed"], action={"type": "ring", "bell": bell, "times": 3}
    )


def test_it_goes_through_every_form_in_which_a_trigger_is_written(world: World) -> None:
    trigger = ringing()
    assert isinstance(trigger.action, Ringing)
    assert Trigger.from_json(trigger.to_json()) == trigger
    world.declare(trigger)
    assert world.ledger.registry.snapshot().entries[trigger.id].trigger == trigger
    section = read_section("task", write_section([trigger], {}), {}, [trigger])
    assert (section.problems, section.triggers) == ((), {trigger.id: as_written(trigger)})
    assert section.triggers[trigger.id].action == trigger.action
    assert list(parse(dump([trigger]), "triggers.yaml").triggers) == [trigger]
    assert "ring" in str(schema()), "editors complete it"


def test_a_file_declares_it_and_each_verb_shows_it(world: World, tmp_path_factory: pytest.TempPathFactory) -> None:
    file = tmp_path_factory.mktemp("declared") / "triggers.yaml"
    file.write_text(dump([ringing()]))
    applied = run("apply", "-f", str(file))
    assert applied.code == 0, applied.out
    failed = world.fail_task()
    world.step()
    assert Ringing.rung == [("the great bell", failed)]
    assert world.clones() == [], "nothing is cloned for it"
    (listed,) = run("list", "--json").json
    assert (listed["name"], listed["counts"]["launched"]) == ("ring", 1)
    assert "ring the great bell" in run("show", "ring", width=200).out
    assert [entry["what"] for entry in run("history", "ring", "--json").json] == ["granted", "launched"]
    explained = run("explain", "ring", failed, "--json").json
    assert explained["answer"] == "fired"
    assert "ring was carried out" in explained["because"]
    assert world.ledger.history.last_of("launched", "task:ring") == (1, "")


def test_what_it_raises_is_retried_or_given_up(world: World) -> None:
    world.declare(ringing())
    Ringing.faults[:] = [Transient("the rope is torn")]
    failed = world.fail_task()
    world.step()
    assert Ringing.rung == []
    assert [entry.reason for entry in world.history("failed")] == ["the rope is torn"]
    assert run("failing", "retry", failed, "--json").json == {"retried": 1}
    Ringing.faults[:] = [Permanent("the bell is stolen")]
    world.hints.acts += 1
    world.settle()
    assert [letter["reason"] for letter in run("dead", "list", "--json").json] == ["the bell is stolen"]
    assert run("dead", "retry", failed, "--json").json == {"retried": 1}
    world.hints.acts += 1
    world.settle()
    assert Ringing.rung == [("the great bell", failed)]
    assert [entry.what for entry in world.history()] == ["granted", "failed", "dead", "retried", "launched"]
