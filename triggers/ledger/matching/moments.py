"""What is remembered of the nominal times of schedules: their marks, as long as the clock might come back to them.

And up to which local time of each zone they were looked at, in case the rules of the zone change.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, cast

from triggers.base import forms
from triggers.ledger.keys import Keys
from triggers.ledger.registry.registry import Entry
from triggers.ledger.store import Store
from triggers.model.schedule_fields import AT_ONCE, ONLY_ONCE
from triggers.model.trigger import ScheduleTrigger
from triggers.rules.policies import Mark

#: Field of the clock's cursor: no nominal time before it is granted any more, since its mark may be forgotten, ms.
FLOOR = "floor_ms"

#: Field of the clock's cursor: zone → [ms, offset of its local time then, ms], see `rules.schedules.wall_clocks`.
ZONES = "zones"

#: Marks read in one trip.
_AT_ONCE = 1000


class Moments:
    """The memory of the source `clock`."""

    def __init__(self, store: Store, keys: Keys) -> None:
        self.store, self.keys = store, keys

    def floor_ms(self) -> int:
        """Before which nothing is granted, ms."""
        found: Any = self.store.client.hget(self.keys.cursor("clock"), FLOOR)
        return int(found) if found and str(found).isdigit() else 0

    def floor_and_zones(self) -> tuple[int, dict[str, tuple[int, int]]]:
        """The floor, and up to when the local times of each zone were looked at with its offset then, ms."""
        floor, zones = cast("list[Any]", self.store.client.hmget(self.keys.cursor("clock"), [FLOOR, ZONES]))
        return forms.number(floor), _zones(zones)

    def note_zones(self, zones: Mapping[str, tuple[int, int]]) -> None:
        """Keep up to when the local times of each zone were looked at, in one trip."""
        self.store.client.hset(self.keys.cursor("clock"), ZONES, json.dumps(zones, sort_keys=True))

    def lower_floor(self, now_ms: int) -> None:
        """Bring the floor down to a clock that was set back to before it."""
        if self.floor_ms() > now_ms:
            self.store.client.hset(self.keys.cursor("clock"), FLOOR, now_ms)

    def forget_old(
        self, active: Iterable[Entry], known: Mapping[str, Entry], now_ms: int, kept_ms: int, every_ms: int
    ) -> int:
        """Forget the marks of times that are long over, now and then; how many. The floor is raised before.

        Args:
            active: the schedules that are declared: none of them makes up for an earlier time than that.
            known: all triggers by id. Those that are retired are among them, and have marks, too.
            now_ms: Redis' time.
            kept_ms: how much longer marks are kept.
            every_ms: how much the floor rises at least.
        """
        windows = [entry.trigger.window_ms for entry in active if isinstance(entry.trigger, ScheduleTrigger)]
        before_ms = now_ms - kept_ms - max(windows, default=0)
        if before_ms - self.floor_ms() < every_ms:
            return 0
        self.store.client.hset(self.keys.cursor("clock"), FLOOR, before_ms)
        schedules = [id_ for id_, entry in known.items() if isinstance(entry.trigger, ScheduleTrigger)]
        return sum(self._forget(id_, before_ms) for id_ in schedules)

    def _forget(self, trigger: str, before_ms: int) -> int:
        old = []
        for id_, text in self.store.client.hscan_iter(self.keys.marks(trigger), count=_AT_ONCE):
            if id_ not in (AT_ONCE, ONLY_ONCE) and _is_older(text, before_ms):
                old.append(id_)
        for start in range(0, len(old), _AT_ONCE):
            self.store.client.hdel(self.keys.marks(trigger), *old[start : start + _AT_ONCE])
        return len(old)


def _zones(text: str | None) -> dict[str, tuple[int, int]]:
    try:
        return {zone: (int(ms), int(offset)) for zone, (ms, offset) in json.loads(text or "{}").items()}
    except (ValueError, TypeError, AttributeError):  # nothing is remembered of them
        return {}


def _is_older(text: str, before_ms: int) -> bool:
    try:
        return Mark.from_text(text).changed_ms < before_ms
    except ValueError:  # people look at it
        return False
