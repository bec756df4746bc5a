"""How many messages this process has refused because of their signature, and why the last."""

from __future__ import annotations

import threading

_lock = threading.Lock()
_count, _why = 0, ""


def count(why: str) -> None:
    """Count one more."""
    global _count, _why
    with _lock:
        _count, _why = _count + 1, why


def so_far() -> tuple[int, str]:
    """How many, and why the last; (0, "") without any."""
    with _lock:
        return _count, _why
