"""Which launches have a limit of their time, and which failed: derived from what is written at each launch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from triggers.base import forms
from triggers.ledger.keys import Keys
from triggers.ledger.store import Store


class Limits:
    """The launches that may have to be aborted. Every step may be repeated, and lost with the process."""

    def __init__(self, store: Store, keys: Keys) -> None:
        self.store, self.keys = store, keys

    def note(self, limited: Mapping[str, float]) -> None:
        """Note the launches of triggers with a limit that were made since the last time."""
        _note(self.store, self.keys.limits, self.keys.limits_seen, self.keys, limited)

    def known_in(self, epoch: str) -> bool:
        """Whether what Redis may have forgotten before this epoch has been learned again."""
        return bool(self.store.client.get(self.keys.limits_epoch) == epoch)

    def learn(self, epoch: str, running: Mapping[str, tuple[str, int]]) -> None:
        """Note launches that run, as the ClearML server knows them; what is noted here already stays.

        Args:
            epoch: run id of the present one.
            running: id of the ClearML task → id of its trigger, and when it was launched by the ledger's clock, ms.
        """
        with self.store.client.pipeline(transaction=True) as pipe:
            for task, (trigger, launched_ms) in running.items():
                pipe.hsetnx(self.keys.launched, task, trigger)
                pipe.zadd(self.keys.launched_times, {task: launched_ms}, nx=True)
                pipe.zadd(self.keys.limits, {task: launched_ms}, nx=True)
            pipe.set(self.keys.limits_epoch, epoch)
            pipe.execute()

    def overdue(self, limits_ms: Mapping[str, float], now_ms: int) -> list[str]:
        """Give the launched ClearML tasks whose limit has passed, oldest first."""
        oldest = now_ms - min(limits_ms.values(), default=0)
        found: Any = self.store.client.zrangebyscore(self.keys.limits, "-inf", oldest, withscores=True)
        if not found:
            return []
        owners: Any = self.store.client.hmget(self.keys.launched, [task for task, _ in found])
        gone = [task for (task, _), owner in zip(found, owners, strict=True) if owner not in limits_ms]
        self.done(gone)
        return [
            task
            for (task, ms), owner in zip(found, owners, strict=True)
            if owner in limits_ms and now_ms - ms >= limits_ms[owner]
        ]

    def count_from(self, launched_ms: Mapping[str, int]) -> None:
        """Let noted launches count from these times, by the ledger's clock."""
        if launched_ms:
            self.store.client.zadd(self.keys.limits, dict(launched_ms), xx=True)

    def done(self, tasks: Sequence[str]) -> None:
        """Forget launches that have ended."""
        if tasks:
            self.store.client.zrem(self.keys.limits, *tasks)


class FailuresInARow:
    """How many launches of a trigger failed in a row, where it asks to be paused for that."""

    def __init__(self, store: Store, keys: Keys) -> None:
        self.store, self.keys = store, keys

    def note(self, watched: Mapping[str, int]) -> None:
        """Note the launches of triggers that are watched, which were made since the last time."""
        _note(self.store, self.keys.watched, self.keys.watched_seen, self.keys, watched)

    def open(self) -> list[tuple[str, str]]:
        """Give the launches that had not ended, oldest first: ClearML task and trigger."""
        tasks: Any = self.store.client.zrange(self.keys.watched, 0, -1)
        owners: Any = self.store.client.hmget(self.keys.launched, tasks) if tasks else []
        return [(task, owner or "") for task, owner in zip(tasks, owners, strict=True)]

    def ended(self, task: str, trigger: str, *, failed: bool) -> None:
        """Count a launch that has ended, once; one that did not fail ends the row."""
        with self.store.client.pipeline(transaction=True) as pipe:
            pipe.zrem(self.keys.watched, task)
            if failed:
                pipe.hincrby(self.keys.failures, trigger, 1)
            else:
                pipe.hdel(self.keys.failures, trigger)
            pipe.execute()

    def dead(self, trigger: str, count: int) -> None:
        """Count the firings that were given up since the last time; `count`: of all."""
        known: Any = self.store.client.hget(self.keys.failures, f"dead {trigger}")
        new = count - forms.number(known) if known is not None else 0
        if known is None or new:
            with self.store.client.pipeline(transaction=True) as pipe:
                pipe.hset(self.keys.failures, f"dead {trigger}", count)
                if new > 0:
                    pipe.hincrby(self.keys.failures, trigger, new)
                pipe.execute()

    def in_a_row(self, trigger: str) -> int:
        """How many have failed in a row."""
        return forms.number(self.store.client.hget(self.keys.failures, trigger))

    def begin_anew(self, trigger: str) -> None:
        """Count from zero."""
        self.store.client.hdel(self.keys.failures, trigger)


def _note(store: Store, name: str, seen_name: str, keys: Keys, wanted: Mapping[str, Any]) -> None:
    """Add the launches of some triggers since the last time to a sorted set, by launch time."""
    seen: Any = store.client.get(seen_name)
    found: Any = store.client.zrangebyscore(keys.launched_times, seen or "-inf", "+inf", withscores=True)
    if not found:
        return
    owners: Any = store.client.hmget(keys.launched, [task for task, _ in found])
    new = {task: ms for (task, ms), owner in zip(found, owners, strict=True) if owner in wanted}
    with store.client.pipeline() as pipe:
        if new:
            pipe.zadd(name, new, gt=True)  # a task that is run again is as old as its last launch
        pipe.set(seen_name, f"({int(found[-1][1])}")
        pipe.execute()
