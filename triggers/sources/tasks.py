"""The ClearML tasks of a server, dataset versions among them."""

from __future__ import annotations

from collections.abc import Sequence

from triggers.clearml_api import polls
from triggers.clearml_api.polls import Listing
from triggers.model import Trigger
from triggers.sources.collection import Collection


class Tasks(Collection):
    """One request serves all triggers on ClearML tasks and datasets; of metrics it asks for those that they watch."""

    name = "tasks"
    kinds = ("dataset", "task")

    def listing(self, triggers: Sequence[Trigger]) -> Listing:
        return polls.tasks({key for trigger in triggers for key in trigger.watched_metrics()})
