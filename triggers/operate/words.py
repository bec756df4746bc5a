"""Words for what can have happened to a firing, as the history has them."""

from __future__ import annotations

from typing import Final

#: What can have happened to a firing.
WORDS: Final = (
    "granted", "launched", "acted", "resolved", "tried", "skipped", "held", "released", "failed", "dead", "retried",
    "dropped", "shadow",
)  # fmt: skip
