"""Does the child of local mode get somewhere? Judged by the file that it writes, as every supervisor judges workers."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Final

from triggers.health import FROZEN_SECONDS, Progress

#: The variable that names the file, for workers and for the command `python -m clearml_triggers.health`.
HEALTH_FILE: Final = "TRIGGERS_HEALTH_FILE"

#: A child that has not written anything for so long after its start is frozen too, seconds.
STARTING_SECONDS: Final = 90.0
#: A fault lasts for so long before the child is ended: one that was thawed with us gets to write first, seconds.
LASTING_SECONDS: Final = 5.0


class Liveness:
    """The child's progress. Times are of the monotonic clock."""

    def __init__(self, folder: Path | None, *, frozen_seconds: float = FROZEN_SECONDS) -> None:
        """Choose the file: that of the environment, else one of our own.

        Args:
            folder: where a file of our own goes; None for a temporary one.
            frozen_seconds: how long the child may be silent.
        """
        named = os.environ.get(HEALTH_FILE)
        self._own = None if named or folder else tempfile.TemporaryDirectory(prefix="clearml-triggers-")
        self.file = Path(named) if named else Path(self._own.name if self._own else str(folder)) / "health.json"
        self._frozen_seconds = frozen_seconds
        self._lasting_seconds = min(LASTING_SECONDS, frozen_seconds)
        self._pid, self._started_at = 0, 0.0
        self._since: float | None = None

    def begin(self, pid: int, now: float) -> None:
        """A child was started."""
        self._pid, self._started_at, self._since = pid, now, None

    def fault(self, now: float) -> str:
        """Why the child has to be ended, "" while it gets somewhere."""
        words = self._seen(now)
        if not words:
            self._since = None
            return ""
        self._since = now if self._since is None else self._since
        return words if now - self._since >= self._lasting_seconds else ""

    def _seen(self, now: float) -> str:
        progress = Progress.read(self.file)
        if progress is not None and progress.pid == self._pid:
            return progress.fault(now, self._frozen_seconds)
        silent = now - self._started_at
        return f"it has not written anything since its start {silent:.0f} s ago" if silent > STARTING_SECONDS else ""

    def close(self) -> None:
        """Remove a temporary file."""
        if self._own is not None:
            self._own.cleanup()
