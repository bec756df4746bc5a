"""Conditions: whether an event satisfies a trigger, and why. The table of `clauses` makes every decision.

`matches`, `Condition` and `evaluate` walk the same table: the first two stop at the first clause that fails,
the last explains all.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from triggers.model import Trigger
from triggers.model.events import Event
from triggers.rules.clauses import RULES


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


@dataclass(frozen=True, slots=True)
class Condition:
    """A trigger's condition made ready for many events: the clauses that apply to it are found once."""

    trigger: Trigger
    clauses: tuple[Callable[[Any, Event], bool], ...]

    @classmethod
    def of(cls, trigger: Trigger) -> Condition:
        """Make it ready."""
        return cls(trigger, tuple(rule.holds for rule in RULES[trigger.kind] if rule.applies(trigger)))

    def matches(self, event: Event) -> bool:
        """Decide as `matches` does."""
        trigger = self.trigger
        for holds in self.clauses:  # noqa: SIM110 - a generator costs more than the clauses
            if not holds(trigger, event):
                return False
        return True


def matches(trigger: Trigger, event: Event) -> bool:
    """Decide whether the event satisfies the trigger's condition."""
    return all(rule.holds(trigger, event) for rule in RULES[trigger.kind] if rule.applies(trigger))


def evaluate(trigger: Trigger, event: Event) -> Verdict:
    """Decide as `matches` does, and say why."""
    clauses = tuple(
        Clause(rule.name, rule.holds(trigger, event), rule.wanted(trigger), rule.found(trigger, event))
        for rule in RULES[trigger.kind]
        if rule.applies(trigger)
    )
    return Verdict(all(clause.holds for clause in clauses), clauses)
