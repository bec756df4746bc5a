"""What waits, where and since when: events for a matcher, firings in lanes and holds, dead letters. Reads only."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, Literal

from triggers.base import forms
from triggers.ledger.firings.lines import score_of
from triggers.ledger.keys import Keys
from triggers.ledger.store import Store
from triggers.model.action import LANES, Lane

#: A line in which things wait by the time at which each was due: partitions with events, or firings of a lane.
Line = Literal["batches", "dispatch", "caller", "act"]


class Waiting:
    """What waits in the ledger of one scheduler."""

    def __init__(self, store: Store, keys: Keys) -> None:
        self.store, self.keys = store, keys

    def next_poll_ms(self) -> int:
        """When the next poll is due by the ledger's clock; 0 when none was ever made."""
        due: Any = self.store.client.get(self.keys.next_poll)
        return forms.number(due)

    def oldest_ms(self, line: Line) -> int | None:
        """When the first of a line was due, None where nothing waits; a lease moves that on."""
        first: Any = self.store.client.zrange(self._line(line), 0, 0, withscores=True)
        return first_ms(first)

    def due(self, line: Line, now_ms: int) -> int:
        """How many of a line are due."""
        count: Any = self.store.client.zcount(self._line(line), "-inf", now_ms)
        return int(count)

    def size(self, line: Line) -> int:
        """How many are in a line, due now or later."""
        count: Any = self.store.client.zcard(self._line(line))
        return int(count)

    def due_ms(self, key: str, line: Line) -> int:
        """When a firing is due in a line, or a partition since when it waits; 0 for one that is not in it."""
        score: Any = self.store.client.zscore(self._line(line), key)
        return score_of(score or 0)

    def dead_count(self) -> int:
        """How many dead letters there are."""
        count: Any = self.store.client.zcard(self.keys.dead)
        return int(count)

    def slot_count(self) -> int:
        """How many slots are bound."""
        count: Any = self.store.client.hlen(self.keys.slots)
        return int(count)

    def batch_count(self, partitions: Iterable[int]) -> int:
        """How many batches wait in these partitions."""
        lengths: list[Any] = [self.store.client.llen(self.keys.batches(number)) for number in partitions]
        return sum(map(int, lengths))

    def batches(self, partition: int) -> list[str]:
        """The texts of all batches of a partition, oldest first."""
        texts: Any = self.store.client.lrange(self.keys.batches(partition), 0, -1)
        return list(texts)

    def by_trigger(self, digest_length: int, holds: Sequence[str]) -> dict[str, Counter[str]]:
        """How many firings are waiting, held and dead, by the digest of their triggers that their keys begin with."""
        lists = {
            "waiting": [self.keys.due(lane) for lane in LANES],
            "dead": [self.keys.dead],
            "held": [self.keys.held(hold) for hold in holds],
        }
        found = {}
        for name, members in lists.items():
            with self.store.client.pipeline(transaction=False) as pipe:
                for member in members:
                    pipe.zrange(member, 0, -1)
                answers: list[Any] = pipe.execute() if members else []
            found[name] = Counter(key[:digest_length] for answer in answers for key in answer)
        return found

    def place(self, key: str, holds: Iterable[str]) -> tuple[str, str, int] | None:
        """Where a firing waits: (hold, "", 0) or ("", lane, when it is due, ms); None when it is in none of them."""
        places = {("", str(lane)): self.keys.due(lane) for lane in LANES}
        places |= {(hold, ""): self.keys.held(hold) for hold in holds}
        with self.store.client.pipeline(transaction=False) as pipe:
            for name in places.values():
                pipe.zscore(name, key)
            scores: list[Any] = pipe.execute()
        for (hold, lane), score in zip(places, scores, strict=True):
            if score is not None:
                return hold, lane, 0 if hold else score_of(score)
        return None

    def oldest_version(self, lane: Lane, before_ms: int) -> int | None:
        """The stored version of the firing that has been due longest, if it was before a time."""
        first: Any = self.store.client.zrange(self.keys.due(lane), 0, 0, withscores=True)
        oldest = [key for key, score in first if score_of(score) <= before_ms]
        version: Any = self.store.client.hget(self.keys.firing(oldest[0]), "v") if oldest else None
        return int(version) if version and version.isdigit() else None

    def change_times(self, holds: Iterable[str], limit: int) -> list[int]:
        """When the objects of firings that wait or are held changed, ms; of the first `limit` of each list."""
        times: list[int] = []
        for name in [*map(self.keys.due, LANES), *map(self.keys.held, holds)]:
            keys: Any = self.store.client.zrange(name, 0, limit - 1)
            with self.store.client.pipeline(transaction=False) as pipe:
                for key in keys:
                    pipe.hget(self.keys.firing(key), "changed_ms")
                times += [int(ms) for ms in (pipe.execute() if keys else []) if ms and ms.isdigit()]
        return times

    def _line(self, line: Line) -> str:
        return line_key(self.keys, line)


def line_key(keys: Keys, line: Line) -> str:
    """Where a line lies."""
    return keys.ready if line == "batches" else keys.due(line)


def first_ms(first: Any) -> int | None:
    """When the first of a line was due, as ZRANGE gives it; None where nothing waits."""
    return score_of(first[0][1]) if first else None
