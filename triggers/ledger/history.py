"""What happened, for people: the bounded history, alarms, and counts of what waits."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from triggers.ledger.keys import Keys
from triggers.ledger.store import Store


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the history. `what`: granted, launched, skipped, held, retry, dead."""

    id: str
    at_ms: int
    what: str
    trigger: str
    object: str
    firing: str
    reason: str
    task: str

    @classmethod
    def of(cls, id_: str, fields: Mapping[str, str]) -> Entry:
        """Decode an entry of the stream; a later release may write more fields."""
        names = ("what", "trigger", "object", "firing", "reason", "task")
        return cls(id_, int(id_.partition("-")[0]), **{name: fields.get(name, "") for name in names})


class History:
    """Reads the history of one scheduler and keeps its alarms."""

    def __init__(self, store: Store, keys: Keys) -> None:
        self.store, self.keys = store, keys

    def read(self, after: str = "-", count: int = 1000) -> list[Entry]:
        """Entries later than the entry id `after`, oldest first."""
        start = after if after == "-" else f"({after}"
        found: Any = self.store.client.xrange(self.keys.history, start, "+", count)
        return [Entry.of(id_, fields) for id_, fields in found]

    def latest(self, what: str, count: int, *, scan: int = 5000) -> list[Entry]:
        """The newest entries of one sort, newest first; looks at the last `scan` entries."""
        found: Any = self.store.client.xrevrange(self.keys.history, "+", "-", scan)
        chosen = [(id_, fields) for id_, fields in found if fields.get("what") == what][:count]
        return [Entry.of(id_, fields) for id_, fields in chosen]

    def raise_alarm(self, name: str, text: str, at_ms: int) -> bool:
        """Set an alarm; one that is already set keeps its time. Whether it is new."""
        return bool(self.store.client.hsetnx(self.keys.alarms, name, json.dumps({"text": text, "since_ms": at_ms})))

    def clear_alarm(self, name: str) -> None:
        """Clear an alarm."""
        self.store.client.hdel(self.keys.alarms, name)

    def alarms(self) -> dict[str, dict[str, Any]]:
        """The alarms that are set: name → text and since_ms."""
        found: Any = self.store.client.hgetall(self.keys.alarms)
        return {name: _alarm(text) for name, text in found.items()}


def _alarm(text: str) -> dict[str, Any]:
    try:
        alarm = json.loads(text)
        return {"text": str(alarm["text"]), "since_ms": int(alarm["since_ms"])}
    except (ValueError, TypeError, KeyError, RecursionError):
        return {"text": text, "since_ms": 0}
