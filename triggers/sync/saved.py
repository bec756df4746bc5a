"""What the service task keeps for a Redis that comes back empty: small, versioned, as one runtime property. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, Final

#: Name of the runtime property.
PROPERTY: Final = "triggers-state"
VERSION: Final = 1
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
    """

    saved_ms: int
    read_to_ms: int
    waiting_ms: int = 0
    epoch: int = 0
    registry: int = 0
    paused: tuple[str, ...] = ()

    @property
    def since_ms(self) -> int:
        """Changes from here on may not have been carried out."""
        return min(self.read_to_ms, self.waiting_ms or self.read_to_ms)

    def to_json(self) -> str:
        """Write the property."""
        fields = asdict(self) | {"v": VERSION, "paused": list(self.paused[:_PAUSED_KEPT])}
        return json.dumps(fields, sort_keys=True, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> Saved | None:
        """Read the property; None for one of a version that is not known here."""
        try:
            fields: dict[str, Any] = json.loads(text)
            if fields.pop("v") != VERSION:
                return None
            return cls(**fields | {"paused": tuple(fields.get("paused", ()))})
        except (ValueError, TypeError, KeyError, AttributeError):
            return None


def newest(texts: Iterable[str | None]) -> Saved | None:
    """The latest of several, None if there is none."""
    found = [saved for text in texts if text and (saved := Saved.from_json(text))]
    return max(found, key=lambda saved: saved.saved_ms, default=None)
