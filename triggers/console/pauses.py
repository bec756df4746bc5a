"""Short pauses: a full collection of garbage looks at everything that is kept, and no page should wait for that."""

from __future__ import annotations

import gc
import time
from typing import Any, Final

#: Seconds between two collections that look at everything.
_WHOLE_SECONDS: Final = 3600.0


class Collections:
    """Lets full collections leave aside what an earlier one has kept, such as the registry and the history's index.

    With 10,000 triggers a full collection takes some 250 ms, in which no page is answered. Once an hour one looks at
    everything again, so that nothing is kept for good.
    """

    def __init__(self) -> None:
        self._whole_at = time.monotonic() + _WHOLE_SECONDS

    def __call__(self, phase: str, info: dict[str, Any]) -> None:
        """What `gc.callbacks` calls around each collection."""
        if info["generation"] != 2:
            return
        if phase == "stop":
            gc.freeze()
        elif time.monotonic() >= self._whole_at:
            self._whole_at = time.monotonic() + _WHOLE_SECONDS
            gc.unfreeze()


def keep_pauses_short() -> None:
    """Begin, for as long as this process lives."""
    gc.callbacks.append(Collections())
