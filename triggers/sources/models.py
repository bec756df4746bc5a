"""The models of a ClearML server."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from triggers.model import Trigger
from triggers.sources.collection import Collection

if TYPE_CHECKING:
    from triggers.clearml_api.polls import Listing


class Models(Collection):
    """One request serves all triggers on models."""

    name = "models"
    kinds = ("model",)

    def listing(self, triggers: Sequence[Trigger]) -> Listing:
        from triggers.clearml_api import polls

        del triggers  # their conditions read the same of every model
        return polls.MODELS
