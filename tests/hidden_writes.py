"""How long the sandbox of this process hides late writes (`Control.late`): as the test says, not as the machine."""

from __future__ import annotations

import time
from types import SimpleNamespace

import pytest


class HiddenWrites:
    """Late writes become visible when the test lets time pass for them, however long its calls take."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._now = time.monotonic()
        monkeypatch.setattr("triggers.sandbox.store.time", SimpleNamespace(monotonic=lambda: self._now))

    def show(self, seconds: float) -> None:
        """Let so much time pass."""
        self._now += seconds
