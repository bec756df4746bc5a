"""What a look brings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Level = Literal["ok", "warn", "bad"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding: of what, how it is, in words, and what to do about it ("" when nothing)."""

    about: str
    level: Level
    words: str
    to_do: str = ""
