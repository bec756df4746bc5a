"""The ClearML tasks of a server, dataset versions among them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from triggers.model import Trigger
from triggers.sources.collection import Collection

if TYPE_CHECKING:
    from triggers.clearml_api.polls import Listing


class Tasks(Collection):
    """One request serves all triggers on ClearML tasks and datasets; of metrics it asks for those that they watch."""

    name = "tasks"
    kinds = ("dataset", "task")

    def listing(self, triggers: Sequence[Trigger]) -> Listing:
        from triggers.clearml_api import polls

        return polls.tasks({key for trigger in triggers for key in trigger.watched_metrics()})
