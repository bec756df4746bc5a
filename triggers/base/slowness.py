"""How much time slow expressions may take together: of one event, of one trigger, and of this process.

Each has a limit of its own (`patterns`), but a hundred of them would still hold up everything else. An expression that
has taken long may be tried again only while all three budgets have something left; after a minute they are full again.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Final

#: What counts as long, seconds: hundreds of usual expressions take less together.
LONG_SECONDS: Final = 0.002
#: Time that slow expressions may take in a window, seconds: on one text, by one expression, by all of this process.
TEXT_SECONDS: Final = 0.2
PATTERN_SECONDS: Final = 0.5
PROCESS_SECONDS: Final = 2.0
WINDOW_SECONDS: Final = 60.0


class Slowness:
    """The time that slow expressions took in the present window, and which are not reported yet. Threads share it."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._lock = clock, threading.Lock()
        self._fresh: set[str] = set()
        self._begin()

    def _begin(self) -> None:
        self._until = self._clock() + WINDOW_SECONDS
        self._of_pattern: Counter[str] = Counter()
        self._of_text: Counter[str] = Counter()
        self._total = 0.0

    def add(self, pattern: str, text: str, seconds: float) -> None:
        """Note what a search took."""
        if seconds < LONG_SECONDS:
            return
        with self._lock:
            if not self._of_pattern[pattern]:
                self._fresh.add(pattern)
            spent = round(seconds * 1_000_000)  # whole microseconds: counters hold numbers that are whole
            self._of_pattern[pattern] += spent
            self._of_text[text] += spent
            self._total += seconds

    def is_spent(self, pattern: str, text: str) -> bool:
        """Whether an expression that has taken long is to be left out on this text."""
        with self._lock:
            if self._clock() >= self._until:
                self._begin()
            mine = self._of_pattern[pattern] / 1_000_000
            return mine > 0 and (mine >= PATTERN_SECONDS or self._is_over(text))

    def is_crowded(self, text: str) -> bool:
        """Whether slow expressions have taken so long that one which is not known yet gets little time."""
        with self._lock:
            return self._is_over(text)

    def _is_over(self, text: str) -> bool:
        return self._of_text[text] / 1_000_000 >= TEXT_SECONDS or self._total >= PROCESS_SECONDS

    def take_fresh(self) -> set[str]:
        """Expressions that have become slow since the last call."""
        with self._lock:
            fresh, self._fresh = self._fresh, set()
        return fresh


#: That of this process.
slowness: Final = Slowness()
