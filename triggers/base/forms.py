"""The forms of ids and numbers, as they are made: what Redis or a message has in another form is refused. Pure.

Ids become parts of keys in Redis and of requests, so that one of another form could name something else. The forms of
the ids of triggers and objects are those of their kinds (`model.kinds`).
"""

from __future__ import annotations

import re
from typing import Final

#: The partitions that there can be: `TRIGGERS_PARTITIONS` is 256 at most.
PARTITIONS: Final = range(256)

_SCHEDULER: Final = re.compile(r"[0-9a-f]{16,64}", re.ASCII)
_FIRING: Final = re.compile(r"[0-9A-Za-z_.-]{1,64}", re.ASCII)


def number(text: object) -> int:
    """The whole number that a text of Redis names, 0 where it names none: a person or another release wrote it."""
    try:
        return int(float(text)) if isinstance(text, (str, int, float)) else 0
    except (ValueError, OverflowError):
        return 0


def is_scheduler(text: object) -> bool:
    """Whether it has the form of a scheduler's id: hexadecimal digits."""
    return isinstance(text, str) and _SCHEDULER.fullmatch(text) is not None


def is_firing(text: object) -> bool:
    """Whether it has the form of a firing's key."""
    return isinstance(text, str) and _FIRING.fullmatch(text) is not None


def partition_of(text: object) -> int | None:
    """The partition that a text or a number names, None where it names none."""
    if isinstance(text, str) and text.isascii() and text.isdigit() and len(text) < 4:
        text = int(text)
    return text if type(text) is int and text in PARTITIONS else None
