"""One scenario for each rule by which marks of objects are forgotten."""

from __future__ import annotations

from tests.integration.ledger.helpers import grant, task_event
from tests.property.ledger.making import OBJECT, TRIGGER, forget, mark_of, seen
from triggers.ledger import Ledger
from triggers.ledger.matching.forgotten_marks import KeptMark
from triggers.rules.forgetting import Forgotten
from triggers.rules.policies import Mark


def a_mark_that_changed_is_not_forgotten(ledger: Ledger) -> None:
    one = seen(ledger)
    later = Mark(2, True, 2_000, 2_000)
    ledger.store.client.hset(ledger.keys.marks(TRIGGER.id), OBJECT, later.to_text())
    assert forget(ledger, one) == 0
    assert (mark_of(ledger), ledger.marks.all()) == (later, {})


def a_mark_whose_firing_is_known_is_not_forgotten(ledger: Ledger) -> None:
    grant(ledger, TRIGGER, task_event(OBJECT))
    mark = mark_of(ledger)
    assert mark.occurrence == 1
    assert forget(ledger, KeptMark(TRIGGER.id, OBJECT, mark.stored, mark)) == 0
    assert mark_of(ledger).occurrence == 1


def matchers_know_that_marks_were_forgotten(ledger: Ledger) -> None:
    """The highest occurrence of all, and whether the condition held for any of them."""
    assert forget(ledger, seen(ledger, Mark(3, False, 1_000, 1_000))) == 1
    assert ledger.matching.remembered([(TRIGGER.id, OBJECT)]).forgotten == {TRIGGER.id: Forgotten(1, 3, False)}
    assert forget(ledger, seen(ledger, Mark(2, True, 1_000, 1_000))) == 1
    assert forget(ledger, seen(ledger, Mark(1, False, 1_000, 1_000))) == 1
    assert ledger.marks.all()[TRIGGER.id] == Forgotten(3, 3, True)
    assert mark_of(ledger) == Mark()


def objects_that_are_gone_are_not_looked_up(ledger: Ledger) -> None:
    assert forget(ledger, seen(ledger), may_fire=False) == 1
    assert ledger.marks.all()[TRIGGER.id] == Forgotten(1, 0, False)


def a_forgotten_mark_is_not_waited_for(ledger: Ledger) -> None:
    """No trigger is led to an object by a mark that is gone."""
    one = seen(ledger)
    ledger.store.client.sadd(ledger.keys.active(OBJECT), TRIGGER.id)
    forget(ledger, one, may_fire=False)
    assert ledger.armed.of([OBJECT]) == {}
