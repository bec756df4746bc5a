"""What was decided against a launch: dropped and skipped firings, so that another Redis decides nothing anew."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final

from triggers.ledger.firings.firing import firing_key
from triggers.ledger.keys import Keys
from triggers.ledger.store import Store
from triggers.rules.policies import Mark

#: Decisions that are carried over, those on the latest changes.
CARRIED: Final = 2000
#: Decisions on changes that lie so far behind what polls still read are forgotten, ms.
KEPT_MS: Final = 7 * 86_400_000

#: Trigger id → object id → mark as it is kept.
Marks = Mapping[str, Mapping[str, str]]


class Decisions:
    """The decisions of one scheduler; `remember` in the scripts' prelude writes them down."""

    def __init__(self, store: Store, keys: Keys, scheduler: str) -> None:
        self.store, self.keys, self.scheduler = store, keys, scheduler

    def since(self, since_ms: int) -> dict[str, dict[str, str]]:
        """The marks of objects whose change at or after a time was dropped or skipped, and waits for nothing now."""
        client = self.store.client
        client.zremrangebyscore(self.keys.decided, "-inf", since_ms - KEPT_MS)
        found: Any = client.zrange(self.keys.decided, "+inf", since_ms, desc=True, byscore=True, offset=0, num=CARRIED)
        pairs = [(object_id, trigger) for object_id, _, trigger in (member.partition(" ") for member in found)]
        marks = self._read([(self.keys.marks(trigger), object_id) for object_id, trigger in pairs])
        states = self._read(
            [(self.keys.firing(self._key(*pair, mark)), "state") for pair, mark in zip(pairs, marks, strict=True)]
        )
        decided: dict[str, dict[str, str]] = {}
        for (object_id, trigger), mark, state in zip(pairs, marks, states, strict=True):
            if mark and state not in ("waiting", "held", "dead"):
                decided.setdefault(trigger, {})[object_id] = mark
        return decided

    def _key(self, object_id: str, trigger: str, mark: str | None) -> str:
        """The key of the object's last firing."""
        occurrence = (mark or "").partition(":")[0]
        return firing_key(self.scheduler, trigger, object_id, int(occurrence) if occurrence.isdigit() else 0)

    def _read(self, fields: list[tuple[str, str]]) -> list[str | None]:
        with self.store.client.pipeline(transaction=False) as pipe:
            for name, field in fields:
                pipe.hget(name, field)
            return list(pipe.execute()) if fields else []

    def restore(self, marks: Marks, transitions: Collection[str]) -> int:
        """Take marks over, before any trigger is active; what is known here stays. How many are new. Idempotent.

        Args:
            marks: what `since` gave.
            transitions: ids of triggers that have to see their condition become false.
        """
        with self.store.client.pipeline(transaction=False) as pipe:
            for trigger, of_objects in marks.items():
                for object_id, mark in of_objects.items():
                    pipe.hsetnx(self.keys.marks(trigger), object_id, mark)
                    if trigger in transitions and Mark.from_text(mark).active:
                        pipe.sadd(self.keys.active(object_id), trigger)
            answers = pipe.execute()
        return sum(map(int, answers))
