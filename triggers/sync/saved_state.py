"""What the service task keeps for a Redis that comes back empty: small, versioned, as one runtime property. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from triggers.base.errors import Newer, Unreadable
from triggers.base.formats import KNOWN, check_version, known_fields, reading
from triggers.base.logs import logger
from triggers.rules.policies import Mark

log = logger(__name__)

#: Name of the runtime property.
PROPERTY: Final = "triggers-state"
#: Paused triggers that are remembered.
_PAUSED_KEPT: Final = 200


@dataclass(frozen=True, slots=True)
class Saved:
    """The state of a scheduler at one moment. Times are the ClearML server's, in ms.

    What has fired is not in here: launched ClearML tasks carry their marks. Of functions nothing remains, so
    that they may be called again for objects that change after the cursor.

    Args:
        saved_ms: when.
        read_to_ms: everything before it has been read, by all polls.
        waiting_ms: change time of the oldest change that was read and not yet carried out, 0 for none.
        epoch, registry: number and version, for people.
        paused: ids of triggers that are paused.
        audit: the last line of the audit log, as `Link.to_text` has it.
        decided: trigger id → object id → mark of what was dropped or skipped and may be read again.
        calls: the month's API calls of everything that shares the Redis (`counted_calls`).
    """

    saved_ms: int
    read_to_ms: int
    waiting_ms: int = 0
    epoch: int = 0
    registry: int = 0
    paused: tuple[str, ...] = ()
    audit: str = ""
    decided: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    calls: Mapping[str, Any] = field(default_factory=dict)

    @property
    def since_ms(self) -> int:
        """Changes from here on may not have been carried out."""
        return min(self.read_to_ms, self.waiting_ms or self.read_to_ms)

    def to_json(self) -> str:
        """Write the property."""
        fields = asdict(self) | {"v": KNOWN["state"], "paused": list(self.paused[:_PAUSED_KEPT])}
        return json.dumps(fields, sort_keys=True, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> Saved:
        """Read the property.

        Raises:
            Newer, Unreadable: a later release wrote it; nobody did.
        """
        with reading("state", "of the service task"):
            fields: dict[str, Any] = json.loads(text)
            check_version("state", fields.pop("v"), "of the service task")
            saved = cls(**known_fields(cls, fields) | {"paused": tuple(fields.get("paused", ()))})
            numbers = (saved.saved_ms, saved.read_to_ms, saved.waiting_ms)
            if not all(type(number) is int for number in numbers):
                raise TypeError("saved_ms, read_to_ms or waiting_ms is not a number")
            for marks in saved.decided.values():
                for mark in marks.values():
                    Mark.from_text(mark)
            return saved


def newest(texts: Iterable[str | None], *, latest_ms: int | None = None) -> tuple[str, Saved | None]:
    """The latest of several with its text, None if there is none; corrupt ones do not count.

    `latest_ms`: nobody can have saved anything later, so that what says so was not saved by any scheduler.

    Raises:
        Newer: a later release saved one; going on without it would pass over changes.
    """
    found = []
    for text in filter(None, texts):
        try:
            saved = Saved.from_json(text)
            if latest_ms is None or max(saved.saved_ms, saved.read_to_ms, saved.waiting_ms) <= latest_ms:
                found.append((text, saved))
            else:
                log.error("the state of a service task is from the future (%s); ignoring it", text)
        except Newer:
            raise
        except Unreadable as fault:
            log.error("%s; ignoring it", fault)
    return max(found, key=lambda one: one[1].saved_ms, default=("", None))
