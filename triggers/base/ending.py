"""Which signal has asked this process to end, remembered beyond the exception that it raised.

A `KeyboardInterrupt` that comes while modules are imported, or inside a library with a bare `except`, may be swallowed
or turned into another error. Who begins to serve looks here.
"""

from __future__ import annotations

_asked: list[int] = []


def begin() -> None:
    """Forget what was asked of an earlier command in this process."""
    _asked.clear()


def ask(number: int) -> None:
    """Remember a signal."""
    _asked.append(number)


def asked() -> int:
    """The first signal since `begin`, 0 for none."""
    return _asked[0] if _asked else 0
