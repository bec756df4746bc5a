"""A copy of a Redis that lags: its append-only file as it was a moment ago, which is a prefix of what it did."""

from __future__ import annotations

import os
from pathlib import Path

#: file by its path, and its length
Lengths = dict[Path, int]


def lengths(folder: Path) -> Lengths:
    """How long each append-only file of a Redis is now."""
    return {path: path.stat().st_size for path in sorted(folder.rglob("*aof*")) if path.is_file()}


def take_back(folder: Path, before: Lengths) -> bool:
    """Make the files of a Redis that has ended as they were; False where it has rewritten them since."""
    now = lengths(folder)
    if set(now) != set(before) or any(now[path] < length for path, length in before.items()):
        return False
    for path, length in before.items():
        if not path.name.endswith(".manifest"):
            os.truncate(path, length)
    return True
