"""ClearML's TriggerScheduler as a distributed worker system. Importing it starts nothing, asks no server.

`TriggerScheduler` brings the SDK, as the original does: the SDK records and replaces the arguments of a script only
if it is imported before the script parses them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from triggers.scheduler import TriggerScheduler

__all__ = ["TriggerScheduler"]


def __getattr__(name: str) -> Any:
    if name == "TriggerScheduler":
        import clearml  # noqa: F401

        from triggers.scheduler import TriggerScheduler

        return TriggerScheduler
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
