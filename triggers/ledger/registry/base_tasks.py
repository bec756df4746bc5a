"""Base tasks: the ClearML tasks of people's that triggers run or ran, which nothing here may ever delete."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from triggers.ledger.keys import Keys
from triggers.ledger.store import Store
from triggers.model import Trigger
from triggers.model.trigger import slot_of_reused

#: Ids that one command adds.
_AT_ONCE: Final = 1000


class BaseTasks:
    """The ids of all base tasks that the triggers of one scheduler have, or ever had. None is forgotten."""

    def __init__(self, store: Store, keys: Keys) -> None:
        self.store, self.keys = store, keys

    def note(self, triggers: Iterable[Trigger]) -> None:
        """Remember the base tasks of triggers, before any of these is written, edited or deleted.

        One that is remembered without need, since the write then fails, does no harm.
        """
        ids = sorted({trigger.action.base_task for trigger in triggers} - {""})
        for start in range(0, len(ids), _AT_ONCE):
            self.store.client.sadd(self.keys.base_tasks, *ids[start : start + _AT_ONCE])

    def has(self, task_id: str, registered: Iterable[Trigger], unreadable: Iterable[str]) -> bool:
        """Whether a ClearML task is a base task, or ever was.

        An earlier release noted none: of its data the registry says so, and the slots of tasks that are run themselves.

        Args:
            task_id: of the ClearML task.
            registered: the triggers in the registry, retired ones too.
            unreadable: the entries in it that this release cannot read: whatever they name counts.
        """
        if any(trigger.action.base_task == task_id for trigger in registered) or any(
            task_id in text for text in unreadable
        ):
            return True
        with self.store.client.pipeline(transaction=False) as pipe:
            pipe.sismember(self.keys.base_tasks, task_id)
            pipe.hexists(self.keys.slots, slot_of_reused(task_id))
            return any(pipe.execute())
