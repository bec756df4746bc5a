"""What polls see of a scheduler's service tasks: their changes, and the status of its own; so nobody has to ask."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from triggers.ledger import clock
from triggers.ledger.keys import Keys
from triggers.ledger.store import Store

#: In place of its status: a person asked a worker to end the task, which is in progress until then.
STOPPING: Final = "stopping"


@dataclass(frozen=True, slots=True)
class SeenServiceTask:
    """Service tasks as polls have seen them.

    Attributes:
        changed_ms: last change of any of them, by the ClearML server's clock; 0 if none was seen.
        status: of the task `task`, when it was seen last; "" if it never was.
        covered_ms: how long ago, by the ledger's clock, a poll read everything that had changed; None if none has.
    """

    changed_ms: int = 0
    task: str = ""
    status: str = ""
    covered_ms: int | None = None

    @classmethod
    def of(cls, fields: Mapping[str, str], now_ms: int) -> SeenServiceTask:
        """Read what is kept in Redis; `now_ms`: the ledger's time."""
        covered_ms = _number(fields.get("covered_ms"))
        return cls(
            _number(fields.get("changed_ms")),
            fields.get("task", ""),
            fields.get("status", ""),
            max(0, now_ms - covered_ms) if covered_ms else None,
        )

    def covers(self, pace_seconds: float) -> bool:
        """Whether polls at this pace go on seeing what changes."""
        return self.covered_ms is not None and self.covered_ms < 1000 * (3 * pace_seconds + 15)


class ServiceWatch:
    """Written by polls; of two at once the later one stands, and the next poll reads the overlap again."""

    def __init__(self, store: Store, keys: Keys) -> None:
        self.store, self.keys = store, keys

    def note(self, *, changed_ms: int, task: str = "", status: str = "") -> None:
        """Remember a change, and the status of the scheduler's own service task."""
        fields: dict[Any, Any] = {"changed_ms": changed_ms}
        if task:
            fields |= {"task": task, "status": status}
        self.store.client.hset(self.keys.service_watch, mapping=fields)

    def cover(self, now_ms: int) -> None:
        """Remember that everything that had changed by then was read, by the ledger's clock."""
        self.store.client.hset(self.keys.service_watch, "covered_ms", now_ms)

    def read(self) -> SeenServiceTask:
        """What is remembered."""
        found: Any = self.store.client.hgetall(self.keys.service_watch)
        now_ms = clock.now_ms(self.store.client, self.keys) if found.get("covered_ms") else 0
        return SeenServiceTask.of(found, now_ms)


def _number(text: str | None) -> int:
    return int(text) if text and text.isdigit() else 0
