"""Conditions: whether an event satisfies a trigger, and why. The clauses beside the fields make every decision.

`matches`, `Condition` and `evaluate` walk the same table: the first two stop at the first clause that fails,
the last explains all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

from triggers.model.clauses import NamedRule, Need
from triggers.model.events import Event
from triggers.model.fields import rules_of
from triggers.model.trigger import Trigger


# The parts of a condition are all required, as in the original's query: a trigger on publishing and
# on archiving fires for an object that is both. Cheap clauses come first, the regular expression last.
@cache
def rules(of: type[Trigger]) -> tuple[NamedRule, ...]:
    """Give the rules of a class of triggers; worked out once."""
    return rules_of(of)


@dataclass(frozen=True, slots=True)
class Clause:
    """One part of a condition: what was wanted, what was found, in words."""

    name: str
    holds: bool
    wanted: str
    found: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """The decision on an event with its reasons, cheapest clause first."""

    matched: bool
    clauses: tuple[Clause, ...]

    @property
    def failed(self) -> tuple[Clause, ...]:
        """The clauses that kept the trigger from firing."""
        return tuple(clause for clause in self.clauses if not clause.holds)


_Clauses = tuple[tuple[Callable[[Any, Event], bool], Any], ...]


@dataclass(frozen=True, slots=True)
class Condition:
    """A trigger's condition made ready for many events: the clauses that apply to it are found once.

    `certain`: those of the clauses that say the same of an event every time (all but `Rule.bounded`).
    """

    trigger: Trigger
    clauses: _Clauses
    certain: _Clauses

    @classmethod
    def of(cls, trigger: Trigger) -> Condition:
        """Make it ready."""
        found = [(named.rule.bounded, (named.rule.holds, value)) for named, value in applying(trigger)]
        certain = _shared(tuple(clause for bounded, clause in found if not bounded))
        known = iter(certain)
        return cls(trigger, tuple(clause if bounded else next(known) for bounded, clause in found), certain)

    def matches(self, event: Event) -> bool:
        """Decide as `matches` does."""
        return _hold(self.clauses, event)

    def may_match(self, event: Event) -> bool:
        """Decide without what takes long: false only where `matches` is false every time."""
        return _hold(self.certain, event)


@lru_cache(maxsize=2_000)
def _same(value: Any) -> Any:
    return value


def _shared(value: Any) -> Any:
    """One object for all that are equal: of ten thousand triggers, most ask for the same but for a name."""
    try:
        return _same(value)
    except TypeError:  # a list or a dictionary
        return value


def _hold(clauses: _Clauses, event: Event) -> bool:
    for holds, value in clauses:  # noqa: SIM110 - a generator costs more than the clauses
        if not holds(value, event):
            return False
    return True


def applying(trigger: Trigger) -> Iterator[tuple[NamedRule, Any]]:
    """Give the rules that apply to a trigger, each with what the trigger asks for."""
    for named in rules(type(trigger)):
        value = named.value(trigger)
        if value is not None:
            yield named, value


def matches(trigger: Trigger, event: Event) -> bool:
    """Decide whether the event satisfies the trigger's condition."""
    return all(named.rule.holds(value, event) for named, value in applying(trigger))


def evaluate(trigger: Trigger, event: Event) -> Verdict:
    """Decide as `matches` does, and say why."""
    found = tuple(
        Clause(named.name, named.rule.holds(value, event), named.rule.wanted(value), named.rule.found(value, event))
        for named, value in applying(trigger)
    )
    return Verdict(all(clause.holds for clause in found), found)


def wanted(trigger: Trigger) -> list[str]:
    """Say in words what has to hold, the kind left out."""
    return [named.rule.wanted(value) for named, value in applying(trigger) if named.name != "kind"]


def needs(trigger: Trigger) -> list[Need]:
    """List what an event must have for the trigger; of each entry any one value will do."""
    return [need for named in rules(type(trigger)) for need in named.needs(trigger)]
