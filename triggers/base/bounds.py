"""Bounds of what people and servers hand in: small texts that grow, deep ones, huge ones. Pure.

Each bound is far above what anyone writes by hand or by a sensible program.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from triggers.base.plural import plural

#: Largest file of triggers and largest configuration section, characters.
LARGEST_TEXT: Final = 8_000_000
#: Most values of a file of triggers, those behind aliases counted as often as they stand.
MOST_VALUES: Final = 200_000
#: Most triggers of a configuration section.
MOST_TRIGGERS: Final = 20_000
#: Deepest nesting of parameters and of a file of triggers.
DEEPEST: Final = 50
#: Longest name of a new trigger, and most tags in one argument of it.
LONGEST_NAME: Final = 500
MOST_TAGS: Final = 1_000
#: Of an object that changed: most tags that are read, and characters of all of them together, and of its name.
MOST_OBJECT_TAGS: Final = 5_000
LONGEST_OBJECT_TAGS: Final = 200_000
LONGEST_OBJECT_NAME: Final = 20_000


class TooBig(ValueError):
    """Something is larger than its bound; the message says which."""


def bounded_tags(tags: Iterable[str]) -> tuple[str, ...]:
    """The tags of an object, as far as its bounds go."""
    tags = tuple(tags)
    if len(tags) <= MOST_OBJECT_TAGS and sum(map(len, tags)) <= LONGEST_OBJECT_TAGS:
        return tags
    kept: list[str] = []
    room = LONGEST_OBJECT_TAGS
    for tag in tags:
        room -= len(tag) if isinstance(tag, str) else 0
        if room < 0 or len(kept) >= MOST_OBJECT_TAGS:
            break
        kept.append(tag)
    return tuple(kept)


def excess(name: Any, tags: Any) -> str:
    """What is too much of an object that changed, in words; "" for one within bounds."""
    if isinstance(name, str) and len(name) > LONGEST_OBJECT_NAME:
        return f"its name has {len(name):,} characters; the first {LONGEST_OBJECT_NAME:,} are read"
    if isinstance(tags, list) and len(tags) > len(kept := bounded_tags(tags)):
        return f"it has {plural(len(tags), 'tag')}; the first {len(kept):,} are read"
    return ""
