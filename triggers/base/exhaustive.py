"""The end of a `match` that names every case; `typing` has it from Python 3.11 on."""

from __future__ import annotations

from typing import NoReturn


def assert_never(value: NoReturn) -> NoReturn:
    """Fail for a case that was forgotten: type checkers refuse a call that can be reached."""
    raise AssertionError(f"nothing was written for {value!r}")
