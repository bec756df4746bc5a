"""Steps of a cron expression that are longer than their field: of `*/90` minutes, only the first of the hour counts."""

from __future__ import annotations

import re
from typing import Final

#: Each field from the last to the first: its name, how many values it has, and the unit that `every` has for it.
_FIELDS: Final = (
    ("day of the week", 7, ""), ("month", 12, ""), ("day of the month", 31, "d"), ("hour", 24, "h"),
    ("minute", 60, "m"), ("second", 60, "s"),
)  # fmt: skip
_STEP: Final = re.compile(r"/(\d+)", re.ASCII)


def long_steps(cron: str) -> list[tuple[str, int, str]]:
    """Give the steps that are longer than their field: its name, the step, and the duration that it may mean."""
    return [
        (name, step, f"{step}{unit}" if unit else "")
        for text, (name, values, unit) in zip(reversed(cron.split()), _FIELDS, strict=False)
        for step in map(int, _STEP.findall(text))
        if step > values
    ]
