"""Versions of what one process writes and another reads: which of them this release knows, in one place.

A reader takes every version up to the one that is named here. A version is raised when an earlier release would
misread what is written from then on; a field that earlier releases may ignore needs no new version where
`known_fields` reads it. What has no version of its own (marks, cursors, slots, lists) is covered by that of its
scheduler's record: a worker serves no scheduler whose record it cannot read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields
from typing import Any, Final

from triggers.base.errors import Newer, Unreadable

#: What this release reads at most, and writes unless `LOWEST` has the kind. A release that raises that of events or
#: triggers raises that of firings too.
KNOWN: Final[dict[str, int]] = {
    "scheduler": 1,  # the record, and with it the layout of all keys of the scheduler
    "entry": 3,  # of the registry, around a trigger; 2 where the times of a schedule were edited, 3: its jitter
    "trigger": 4,
    "batch": 1,  # of events
    "event": 3,
    "firing": 4,
    "state": 1,  # saved on the service task
}

#: What is written in an earlier version where it says nothing that only a later one knows, so that earlier releases
#: read it, and its digest stays: the earliest version of each.
LOWEST: Final[dict[str, int]] = {"trigger": 1, "event": 1, "entry": 1}


def lowest(kind: str) -> int:
    """The version that a kind is written in at least."""
    return LOWEST.get(kind, KNOWN[kind])


@contextmanager
def reading(kind: str, known_by: str = "") -> Iterator[None]:
    """Decode something of a kind in the body: whatever goes wrong means that it is unreadable.

    Args:
        kind: of `KNOWN`.
        known_by: what people know it by.
    """
    try:
        yield
    except Newer:
        raise
    except Exception as fault:  # text that nobody of us wrote can fail in any way, RecursionError included
        name = f"{kind} {known_by}" if known_by else kind
        raise Unreadable(f"the {name} cannot be read ({type(fault).__name__}: {str(fault)[:200]})") from fault


def check_version(kind: str, version: object, known_by: str = "") -> None:
    """Let known versions pass.

    Raises:
        Newer: a later release wrote it.
        Unreadable: it is not a version.
    """
    name = f"{kind} {known_by}" if known_by else kind
    if isinstance(version, bool) or not isinstance(version, int) or version < 1:
        raise Unreadable(f"the {name} has version {str(version)[:40]!r}, which no release writes")
    if version > KNOWN[kind]:
        raise Newer(
            f"the {name} is of version {version}, and this release reads {KNOWN[kind]} at most: "
            "run the release that wrote it on all workers"
        )


def known_fields(of: type, found: Mapping[str, Any]) -> dict[str, Any]:
    """Those of the fields that a dataclass has: a later release may have added others that can be ignored."""
    names = {field.name for field in fields(of)}
    return {name: value for name, value in found.items() if name in names}
