"""One scheduler as a process sees it: ledger, API client, settings, hints, and its triggers made ready for matching.

Stages, `sync` and whoever serves a scheduler share it, so it lies below them. What is done with it is theirs.
"""

from triggers.context.context import Context, Plan
from triggers.context.hints import Hints, NoHints

__all__ = ["Context", "Hints", "NoHints", "Plan"]
