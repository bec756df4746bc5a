"""How an action is carried out. Each is a class of its own, in a file of its own.

To add one: a class here beside the others, and a line in `table`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING

from triggers.model import action as model

if TYPE_CHECKING:  # reading and writing an action needs neither Redis nor the server
    from triggers.actions.attempt import Attempt


class Action(model.DeclaredAction, ABC):
    """What a trigger does when it fires."""

    @abstractmethod
    def carry_out(self, attempt: Attempt) -> None:
        """Do it for one firing, and end the attempt: `attempt.launched("")`, `skip`, `snooze`, `fail` or `give_up`.

        The firing was admitted: neither paused nor over its pace, and it has its slot. What is raised ends the attempt
        as well: `Permanent` as a dead letter, everything else as a failure that is tried again. A process may die after
        any call and another does it again, so look at the state first or send `attempt.firing.key` along.
        """

    @classmethod
    def carry_out_each(cls, attempts: Sequence[Attempt]) -> None:
        """Do it for several firings of triggers with this kind of action, which may share calls."""
        from triggers.actions.endings import ending

        for attempt in attempts:
            with ending(attempt):
                attempt.action.carry_out(attempt)

    def pretend(self, attempt: Attempt) -> None:
        """Say what would be done, in shadow mode. Reads what it would need, and writes nothing."""
        attempt.shadow(f"would {self.words()}")
