"""Releases of the ClearML server that can be imitated, and what the older ones lack."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Release:
    """One release: what it says of itself, and where it differs from the newest that was recorded."""

    #: the version that it gives
    number: str
    #: the newest version of the API that it knows
    api: tuple[int, int]
    #: calls that it does not know
    lacks: frozenset[str] = frozenset()
    #: calls that it answers without credentials
    open_calls: frozenset[str] = frozenset()
    #: tasks.failed says when, and a task that is started again gets a new start and is no longer completed
    tells_times: bool = True
    #: tasks.started of a missing task is answered like any other call (400/101)
    knows_missing: bool = False
    #: with force a queued task can be edited in parts
    edits_queued: bool = True
    #: of a project's name the whole counts, not each part
    short_project_parts: bool = False
    #: lists can be filtered by last_change, and by times of several fields
    filters_changes: bool = True

    @property
    def api_version(self) -> str:
        """The newest version of the API, as answers give it."""
        return f"{self.api[0]}.{self.api[1]}"


_BEFORE_2_3 = Release(
    "2.2.0",
    (2, 33),
    lacks=frozenset({"tasks.edit_runtime"}),
    open_calls=frozenset({"server.info"}),
    tells_times=False,
    knows_missing=True,
    edits_queued=False,
)
_BEFORE_2 = replace(_BEFORE_2_3, number="1.17.0", api=(2, 31), short_project_parts=True)
#: by the name under which a sandbox is asked for one; 1.16 is there to test the refusal of a server that is too old
RELEASES: dict[str, Release] = {
    "1.16": replace(_BEFORE_2, number="1.16.0", api=(2, 30), filters_changes=False),
    "1.17": _BEFORE_2,
    "2.2": _BEFORE_2_3,
    "2.3": Release("2.3.0", (2, 34)),
}
NEWEST = "2.3"


def release_of(name: str) -> Release:
    """The release of a name such as 2.2; the whole number will do as well.

    Raises:
        ValueError: it is not one of those that can be imitated.
    """
    found = RELEASES.get(name) or next((known for known in RELEASES.values() if known.number == name), None)
    if found is None:
        raise ValueError(f"no ClearML server {name!r}: choose one of {', '.join(RELEASES)}")
    return found
