"""Turns: a stage works for one scheduler as long as no other waits; then for half a second, and the next has its turn.

The queue of a stage is the line of schedulers: each has one hint in it at most, and who has had a turn and has more to
do goes to its end. Within a scheduler its triggers take turns (`triggers.ledger.firings.lines`).
"""

from __future__ import annotations

import time
from typing import Final

from triggers.context import Context

#: How long a turn lasts while other schedulers wait, seconds.
TURN_SECONDS: Final = 0.5

#: Messages at the head of the queue that are looked at for a hint of another scheduler; ticks may lie there as well.
_LOOKED_AT: Final = 16


class Turn:
    """One turn of a stage for one scheduler; it begins now."""

    def __init__(self, ctx: Context, stage: str) -> None:
        self.ctx, self.stage = ctx, stage
        self._began = time.monotonic()

    def is_over(self) -> bool:
        """Whether it is the turn of another scheduler."""
        if time.monotonic() - self._began < TURN_SECONDS:
            return False
        waiting = self.ctx.hints.waiting(self.stage, _LOOKED_AT)
        return any(scheduler != self.ctx.ledger.scheduler for scheduler in waiting)

    def pass_on(self) -> None:
        """Ask for another turn, behind those of the others."""
        self.ctx.hint(self.stage)
