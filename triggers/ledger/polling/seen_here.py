"""What polls of one process know to be seen: so that a page is compared with it, and Redis is not asked first.

Other processes poll as well, and people move cursors: `poll_commit.lua` verifies what is assumed by this.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from triggers.model.events import Event

#: Objects that are remembered for a source: what two pages hold. An overlap read of more asks Redis.
MOST: Final = 1000


def seen_as(event: Event) -> float:
    """The change as a score: its time in ms, and behind the point ten bits of what was read.

    An object may change again in the millisecond in which it was read, and no change after that: its time alone
    would pass the second state for the first. A project's new name is not a change of what lies in it.
    """
    return event.changed_ms + zlib.crc32(replace(event, project="").to_json().encode()) % 1024 / 1024


@dataclass(frozen=True, slots=True)
class Assumed:
    """What a poll takes for granted of a page: these changes no poll has seen, those some poll has.

    `version`: the registry's, by whose triggers the page was judged.
    """

    fresh: Sequence[Event]
    known: Sequence[Event]
    version: int


class SeenHere:
    """The last changes of one source that polls of this process have seen or stored, one of each object."""

    def __init__(self, most: int = MOST) -> None:
        self.most = most
        self._seen: dict[str, float] = {}

    def assume(self, events: Sequence[Event], version: int) -> Assumed:
        """Take for granted what is remembered; what is not, no poll has seen."""
        known = [event for event in events if self._seen.get(event.id) == seen_as(event)]
        fresh = [event for event in events if self._seen.get(event.id) != seen_as(event)]
        return Assumed(fresh, known, version)

    def note(self, events: Sequence[Event]) -> None:
        """Remember that these have been seen; the oldest make room."""
        for event in events:
            self._seen.pop(event.id, None)
            self._seen[event.id] = seen_as(event)
        for id_ in list(self._seen)[: max(0, len(self._seen) - self.most)]:
            del self._seen[id_]

    def forget(self) -> None:
        """Remember nothing: it was wrong."""
        self._seen.clear()
