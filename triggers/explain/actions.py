"""The further actions of a trigger's last firing for an object, each with what became of it. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from triggers.explain.values import Facts
from triggers.ledger.firings.firing import Firing
from triggers.model.parts import all_parts, key_of
from triggers.operate import wording


@dataclass(frozen=True, slots=True)
class ExplainedAction:
    """One action: the key of its firing, which it is, and its firing; None before it was begun."""

    key: str
    label: str
    firing: Firing | None

    @property
    def state(self) -> str:
        """Its state in one word or two."""
        return wording.action_state(self.firing)

    @property
    def reason(self) -> str:
        """Why it is in that state, in one line; "" if there is no reason."""
        return self.firing.reason.partition("\n")[0] if self.firing else ""


def further_actions(facts: Facts) -> list[ExplainedAction]:
    """All but the first, in the order of the trigger's lists; none before it has fired."""
    if not facts.firings:
        return []
    trigger, known = facts.entry.trigger, {part.key: part for part in facts.parts}
    keys = [key_of(facts.firings[-1].key, part) for part, _ in all_parts(trigger) if part]
    found = [(key, known.get(key)) for key in keys]
    return [ExplainedAction(key, wording.part(trigger, key, one.action if one else ""), one) for key, one in found]
