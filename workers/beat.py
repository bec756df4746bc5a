"""The schedule: RedBeat, whose ticks are written down as progress."""

from __future__ import annotations

import time
from typing import Any

from redbeat.schedulers import RedBeatScheduler

from workers import watch


class Scheduler(RedBeatScheduler):  # type: ignore[misc]
    """One of several, of which one ticks."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        watch.refuse_redis()
        super().__init__(*args, **kwargs)

    def tick(self, *args: Any, **kwargs: Any) -> Any:
        """Send what is due."""
        watch.beat.ticked_at = time.monotonic()
        return super().tick(*args, **kwargs)
