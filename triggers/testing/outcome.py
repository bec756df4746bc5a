"""One look: what every trigger of a scheduler decides on one described object, and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from triggers.base.errors import Usage
from triggers.base.meant import meant
from triggers.client.declaration import Declaration
from triggers.model import Trigger
from triggers.model.events import Event
from triggers.rules.conditions import Verdict, evaluate


class Declares(Protocol):
    """What holds triggers: a `TriggerScheduler`."""

    @property
    def declarations(self) -> Sequence[Declaration]:
        """The triggers declared so far."""


@dataclass(frozen=True)
class Outcome:
    """The decision of every trigger on one object, by name ("kind:name" where two kinds share a name)."""

    verdicts: Mapping[str, Verdict]

    @property
    def fires(self) -> list[str]:
        """The triggers whose condition the object satisfies."""
        return [name for name, verdict in self.verdicts.items() if verdict.matched]

    def failed(self, trigger: str) -> list[str]:
        """The arguments of a trigger that kept it from firing, such as "trigger_on_tags".

        Args:
            trigger: its name.

        Raises:
            Usage: there is no such trigger.
        """
        return [clause.name for clause in self._verdict(trigger).failed]

    def why(self, trigger: str) -> str:
        """The decision of one trigger in words, a line for each part of its condition.

        Args:
            trigger: its name.

        Raises:
            Usage: there is no such trigger.
        """
        return "\n".join(
            f"{'yes' if clause.holds else 'NO ':3} {clause.name}: wanted {clause.wanted}; found {clause.found}"
            for clause in self._verdict(trigger).clauses
        )

    def _verdict(self, trigger: str) -> Verdict:
        if trigger not in self.verdicts:
            near = meant(trigger, self.verdicts)
            raise Usage(f"no trigger {trigger!r}; there are {', '.join(map(repr, self.verdicts)) or 'none'}{near}")
        return self.verdicts[trigger]


def check(scheduler: Declares, changed: Event) -> Outcome:
    """Decide for each trigger of a scheduler whether a change of this object satisfies its condition.

    Triggers of another kind than the object are in it too and say so.

    Args:
        scheduler: holds the triggers.
        changed: the object as it is after the change.
    """
    return Outcome({name: evaluate(trigger, changed) for name, trigger in named(scheduler).items()})


def named(scheduler: Declares) -> dict[str, Trigger]:
    """The triggers of a scheduler by name, by "kind:name" where two kinds share one."""
    triggers = [each.trigger for each in scheduler.declarations]
    often = Counter(trigger.name for trigger in triggers)
    return {trigger.name if often[trigger.name] == 1 else trigger.id: trigger for trigger in triggers}
