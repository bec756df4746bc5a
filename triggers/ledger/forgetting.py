"""Forgetting the oldest of what has ended, where it takes more memory than its budget.

Nothing of it can fire again by that: an object's mark says that it has fired, and an own launch is known by its key on
the ClearML server.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from typing import Any, Final

from triggers.ledger.keys import Keys
from triggers.ledger.store import Script, Store, run_by_parts

FORGET = Script("forget_ended")

#: Bytes of Redis that one takes, as `tests.benchmarks.memory` and `growth` measure them, with room to spare.
FIRING_BYTES: Final = 2_100
LAUNCHED_BYTES: Final = 226
MARK_BYTES: Final = 130
#: What ended, or was launched, since then is kept, whatever the budget, ms: attempts, holders of slots, and windows of
#: polls refer to it.
KEPT_MS: Final = 3_600_000
#: Keys of Redis that one round looks at, about: in pages of so many.
LOOKED_AT: Final = 20_000
_PAGE: Final = 1_000


def allowed(megabytes: float, each: int) -> int:
    """How many fit into a budget."""
    return int(megabytes * 1_000_000 / each)


class Forgetting:
    """Forgets what ended in one scheduler. Any number may do it at once."""

    def __init__(self, store: Store, keys: Keys) -> None:
        self.store, self.keys = store, keys
        self._cursor = 0

    def ended(self, most: int, before_ms: int) -> int:
        """Forget ended firings where there are more than `most`; how many were.

        A round looks at a part of Redis' keys, in their order, which knows nothing of time, and forgets the oldest
        there: as large a share of them as is too many of all.

        Args:
            most: so many may stay.
            before_ms: those that ended later stay, by the ledger's clock.
        """
        size: Any = self.store.client.dbsize()
        if size <= most:  # firings are among the keys
            return 0
        found, looked_at = self._look(int(size))
        number = len(found) * size / max(1, looked_at)
        if number <= most:
            return 0
        oldest = sorted(found)[: ceil(len(found) * (1 - most / number))]
        old = [key for ended_ms, key in oldest if ended_ms < before_ms]
        return run_by_parts(self.store, FORGET, [self.keys.epoch], (self.keys.firing(""),), old)

    def _look(self, size: int) -> tuple[list[tuple[int, str]], int]:
        """The ended firings (time, key) of the next part, and how many keys that part has."""
        found, looked_at, prefix = dict[str, int](), 0, self.keys.firing("")
        pattern = "".join(f"[{sign}]" if sign in "*?[]" else sign for sign in prefix) + "*"
        while looked_at < LOOKED_AT:
            answer: Any = self.store.client.scan(self._cursor, match=pattern, count=_PAGE)
            self._cursor, names = int(answer[0]), answer[1]
            looked_at += _PAGE
            with self.store.client.pipeline(transaction=False) as pipe:
                for name in names:
                    pipe.hget(name, "ended_ms")
                times: list[Any] = pipe.execute() if names else []
            found |= {name.removeprefix(prefix): int(ms) for name, ms in zip(names, times, strict=True) if ms}
            if not self._cursor:
                break
        return [(ms, key) for key, ms in found.items()], min(looked_at, size)

    def sizes(self, triggers: Sequence[str]) -> tuple[int, int]:
        """How many marks the triggers of these ids have, and how many launches are known."""
        marks = 0
        for start in range(0, len(triggers), _PAGE):
            with self.store.client.pipeline(transaction=False) as pipe:
                for trigger in triggers[start : start + _PAGE]:
                    pipe.hlen(self.keys.marks(trigger))
                marks += sum(map(int, pipe.execute()))
        launched: Any = self.store.client.zcard(self.keys.launched_times)
        return marks, int(launched)

    def launched(self, most: int, before_ms: int, limit: int = 1_000) -> int:
        """Forget the oldest launches where more than `most` are known; how many were.

        Those launched at `before_ms` or later stay.
        """
        times = self.keys.launched_times
        count: Any = self.store.client.zcard(times)
        if count <= most:
            return 0
        oldest: Any = self.store.client.zrange(times, 0, min(limit, count - most) - 1, withscores=True)
        old = [task for task, ms in oldest if ms < before_ms]
        if old:
            with self.store.client.pipeline() as pipe:
                pipe.hdel(self.keys.launched, *old)
                pipe.zrem(times, *old)
                pipe.execute()
        return len(old)
