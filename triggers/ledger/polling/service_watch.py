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
#: How late a poll may be before nobody relies on what polls see, ms.
LATE_MS: Final = 30_000
_NUMBERS: Final = (
    "changed_ms", "covered_ms", "missed_ms", "looked_ms", "polled_ms", "pace_ms", "before_ms", "by_budget_ms",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class SeenServiceTask:
    """Service tasks as polls have seen them, and sync where polls do not. Times but `changed_ms` are the ledger's, ms.

    Attributes:
        now_ms: when this was read.
        changed_ms: last change of any of them, by the ClearML server's clock; 0 if none was seen.
        task: id of the scheduler's own; "" if it never was seen.
        status: of that task, when it was seen last.
        covered_ms: when a poll last read everything that had changed; 0 if none has.
        missed_ms: when a poll last read less than that.
        looked_ms: when somebody last asked for the service tasks themselves.
        polled_ms: when the last poll began.
        pace_ms: how long after that the next one is due, whatever it follows from; the least that it can be until the
            poll ends.
        before_ms: how long it was due after the one before.
        by_budget_ms: how much longer than the pace of the script that is for the limit of calls.
    """

    now_ms: int = 0
    changed_ms: int = 0
    task: str = ""
    status: str = ""
    covered_ms: int = 0
    missed_ms: int = 0
    looked_ms: int = 0
    polled_ms: int = 0
    pace_ms: int = 0
    before_ms: int = 0
    by_budget_ms: int = 0

    @classmethod
    def of(cls, fields: Mapping[str, str], now_ms: int) -> SeenServiceTask:
        """Read what is kept in Redis; `now_ms`: the ledger's time."""
        return cls(
            now_ms=now_ms,
            task=fields.get("task", ""),
            status=fields.get("status", ""),
            **{name: _number(fields.get(name)) for name in _NUMBERS},
        )

    @property
    def is_covered(self) -> bool:
        """Whether polls have seen all that changed since the last look, and the next one is not late."""
        missed = self.missed_ms > 0 and self.missed_ms >= self.looked_ms
        return not missed and self._is_on_time(self.covered_ms)

    @property
    def is_known(self) -> bool:
        """Whether what is known of the service task is as good as a poll's knowledge."""
        return self.is_covered or self._is_on_time(self.looked_ms)

    @property
    def pause_ms(self) -> int:
        """The pause between polls by which to judge now: the one before, while the last poll may still be under way."""
        is_under_way = self.now_ms - self.polled_ms < LATE_MS
        return max(self.pace_ms, self.before_ms) if is_under_way else self.pace_ms

    def _is_on_time(self, seen_ms: int) -> bool:
        return seen_ms > 0 and self.now_ms - seen_ms < self.pause_ms + LATE_MS


class ServiceWatch:
    """Written by polls and sync; of two at once the later one stands, and the next poll reads the overlap again."""

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

    def miss(self, now_ms: int) -> None:
        """Remember that less was read then: a change of a service task may have been passed over."""
        self.store.client.hset(self.keys.service_watch, "missed_ms", now_ms)

    def looked(self, now_ms: int) -> None:
        """Remember that somebody asked for the service tasks themselves, at that time."""
        self.store.client.hset(self.keys.service_watch, "looked_ms", now_ms)

    def read(self) -> SeenServiceTask:
        """What is remembered, in one trip."""
        with self.store.client.pipeline(transaction=False) as pipe:
            pipe.hgetall(self.keys.service_watch)
            clock.ask(pipe, self.keys)
            found, *now = pipe.execute()
        return SeenServiceTask.of(found, clock.made_of(*now)[0])


def _number(text: str | None) -> int:
    return int(text) if text and text.isdigit() else 0
