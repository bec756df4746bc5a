"""ClearML's TriggerScheduler as a distributed worker system. Importing it starts nothing, asks no server.

In a script that parses arguments `TriggerScheduler` brings the SDK, as the original does: the SDK records and replaces
arguments only if it is imported before the script parses them. Else it is imported when it is needed.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from triggers.client.scheduler import TriggerScheduler

__all__ = ["TriggerScheduler"]

#: Modules that parse arguments, and that the SDK patches.
_PARSERS = frozenset(("absl", "argparse", "click", "fire", "hydra", "jsonargparse", "typer"))


def __getattr__(name: str) -> Any:
    if name == "TriggerScheduler":
        if not _PARSERS.isdisjoint(sys.modules):
            import clearml  # noqa: F401

        from triggers.client.scheduler import TriggerScheduler

        return TriggerScheduler
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
