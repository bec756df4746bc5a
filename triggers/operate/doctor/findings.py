"""What a look brings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from triggers.base.plural import SHOWN_AT_MOST

Level = Literal["ok", "warn", "bad"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding: of what, how it is, in words, and what to do about it ("" when nothing)."""

    about: str
    level: Level
    words: str
    to_do: str = ""


def shown(findings: Sequence[Finding]) -> Iterator[Finding]:
    """Give those that a person is shown: of thousands alike, the first ones and how many there are more."""
    counts = Counter((one.about, one.level) for one in findings)
    given = Counter[tuple[str, Level]]()
    for one in findings:
        kind = (one.about, one.level)
        if given[kind] < SHOWN_AT_MOST:
            yield one
        elif given[kind] == SHOWN_AT_MOST:
            more = f"{counts[kind] - SHOWN_AT_MOST:,} more"
            yield Finding(one.about, one.level, more, "list all with `clearml-triggers doctor --json`")
        given[kind] += 1
