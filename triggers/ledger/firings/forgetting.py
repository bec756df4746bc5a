"""Forgetting the oldest of what has ended, where it takes more memory than its budget.

Nothing of it can fire again by that: an object's mark says that it has fired, and an own launch is known by its key on
the ClearML server. Marks have a budget of their own (`forgotten_marks`).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import Any, Final

from triggers.base import forms
from triggers.ledger.keys import Keys
from triggers.ledger.store import Script, Store

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
#: Firings that one script forgets: it frees what each of them holds, and takes a millisecond.
_PER_SCRIPT: Final = 100
#: Launches that one round forgets because of their age, at most.
_PER_ROUND: Final = 1_000
#: Launches that one round forgets for want of memory, at most.
_LAUNCHED: Final = 20_000


def allowed(megabytes: float, each: int) -> int:
    """How many fit into a budget."""
    return int(megabytes * 1_000_000 / each)


@dataclass(frozen=True, slots=True)
class Forgot:
    """What one round did: how many it forgot, and about how many are left."""

    count: int
    left: int


class Forgetting:
    """Forgets what ended in one scheduler. Any number may do it at once."""

    def __init__(self, store: Store, keys: Keys) -> None:
        self.store, self.keys = store, keys
        self._cursor = 0

    def launched_before(self, before_ms: int) -> int:
        """Forget which ClearML tasks were launched before a time; how many were forgotten."""
        times = self.keys.launched_times
        old: Any = self.store.client.zrangebyscore(times, "-inf", before_ms, 0, _PER_ROUND)
        if old:
            with self.store.client.pipeline() as pipe:
                pipe.hdel(self.keys.launched, *old)
                pipe.zrem(times, *old)
                pipe.execute()
        return len(old)

    def ended(self, most: int, before_ms: int) -> Forgot:
        """Forget ended firings where there are more than `most`.

        A round looks at a part of Redis' keys, in their order, which knows nothing of time, and forgets the oldest
        there: as many as are too many of all, or half of them, or as large a share of them as is too many of all.

        Args:
            most: so many may stay.
            before_ms: those that ended later stay, by the ledger's clock.
        """
        size: Any = self.store.client.dbsize()
        if size <= most:  # firings are among the keys
            return Forgot(0, int(size))
        found, looked_at = self._look(int(size))
        number = len(found) * size / max(1, looked_at)
        if number <= most:
            return Forgot(0, round(number))
        share, all_of_them = ceil(len(found) * (1 - most / number)), ceil(number - most)
        oldest = sorted(found)[: max(share, min(all_of_them, len(found) // 2))]
        old = [key for ended_ms, key in oldest if ended_ms < before_ms]
        count = 0
        for start in range(0, len(old), _PER_SCRIPT):
            some = old[start : start + _PER_SCRIPT]
            count += int(self.store.run(FORGET, [self.keys.epoch], self.keys.firing(""), *some))
        return Forgot(count, round(number) - count)

    def _look(self, size: int) -> tuple[list[tuple[int, str]], int]:
        """The ended firings (time, key) of the next part, and how many keys that part has."""
        found, looked_at, prefix = dict[str, int](), 0, self.keys.firing("")
        pattern = "".join(f"[{sign}]" if sign in "*?[]" else sign for sign in prefix) + "*"
        while looked_at < LOOKED_AT:
            answer: Any = self.store.client.scan(self._cursor, match=pattern, count=_PAGE, _type="hash")
            self._cursor, names = int(answer[0]), answer[1]
            looked_at += _PAGE
            with self.store.client.pipeline(transaction=False) as pipe:
                for name in names:
                    pipe.hget(name, "ended_ms")
                times: list[Any] = pipe.execute() if names else []
            # of a damaged one it is not known when it ended: Redis itself forgets it after its days
            ended = {name: forms.number(ms) for name, ms in zip(names, times, strict=True)}
            found |= {name.removeprefix(prefix): ms for name, ms in ended.items() if ms > 0}
            if not self._cursor:
                break
        return [(ms, key) for key, ms in found.items()], min(looked_at, size)

    def launches(self) -> int:
        """How many launches are known."""
        count: Any = self.store.client.zcard(self.keys.launched_times)
        return int(count)

    def launched(self, most: int, before_ms: int) -> Forgot:
        """Forget the oldest launches where more than `most` are known.

        Those launched at `before_ms` or later stay.
        """
        count, forgotten, times = self.launches(), 0, self.keys.launched_times
        while forgotten < min(_LAUNCHED, count - most):
            wanted = min(_PAGE, count - most - forgotten)
            oldest: Any = self.store.client.zrange(times, 0, wanted - 1, withscores=True)
            old = [task for task, ms in oldest if ms < before_ms]
            if old:
                with self.store.client.pipeline() as pipe:
                    pipe.hdel(self.keys.launched, *old)
                    pipe.zrem(times, *old)
                    pipe.execute()
            forgotten += len(old)
            if len(old) < wanted:
                break
        return Forgot(forgotten, count - forgotten)
