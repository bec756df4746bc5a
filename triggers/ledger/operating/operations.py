"""What people do to firings: retry and drop dead letters, drop what is held."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from triggers.ledger.firings.firing import Firing
from triggers.ledger.history.paging import RankPlace
from triggers.ledger.keys import Keys
from triggers.ledger.store import Script, Store, run_by_parts

RETRY_DEAD, DROP = Script("retry_dead"), Script("drop")


class Operations:
    """Verbs of one scheduler's operators. Each is atomic and safe to repeat."""

    def __init__(self, store: Store, keys: Keys, *, retention_seconds: float, history_length: int) -> None:
        self.store, self.keys = store, keys
        self.retention_ms, self.history_length = int(retention_seconds * 1000), history_length

    def dead(self, start: int = 0, count: int = 1000) -> list[Firing]:
        """Dead letters, oldest first."""
        return self._list(self.keys.dead, start, count)

    def held(self, hold: str, start: int = 0, count: int = 1000) -> list[Firing]:
        """The firings of a hold, in the order of their grant."""
        return self._list(self.keys.held(hold), start, count)

    def dead_page(self, after: str, count: int) -> tuple[list[Firing], str]:
        """Dead letters behind a cursor ("" for the first), and the cursor behind them, "" at the end.

        Raises:
            Usage: it is not a cursor.
        """
        return self._page(self.keys.dead, after, count)

    def held_page(self, hold: str, after: str, count: int) -> tuple[list[Firing], str]:
        """The same of the firings of a hold."""
        return self._page(self.keys.held(hold), after, count)

    def held_count(self, hold: str) -> int:
        """How many firings a hold has."""
        count: Any = self.store.client.zcard(self.keys.held(hold))
        return int(count)

    def held_counts(self, holds: Sequence[str]) -> dict[str, int]:
        """How many firings each hold has."""
        with self.store.client.pipeline(transaction=False) as pipe:
            for hold in holds:
                pipe.zcard(self.keys.held(hold))
            counts: list[Any] = pipe.execute() if holds else []
        return dict(zip(holds, map(int, counts), strict=True))

    def first_held(self, holds: Sequence[str]) -> dict[str, Firing | None]:
        """The firing of each hold that was granted first."""
        with self.store.client.pipeline(transaction=False) as pipe:
            for hold in holds:
                pipe.zrange(self.keys.held(hold), 0, 0)
            found: list[Any] = pipe.execute() if holds else []
        firsts = {hold: keys[0] for hold, keys in zip(holds, found, strict=True) if keys}
        read = {firing.key: firing for firing in self._read(list(firsts.values()))}
        return {hold: read.get(firsts.get(hold, "")) for hold in holds}

    def retry_dead(self, key: str) -> bool:
        """Make a dead letter due again with all its retries; False if there is none of that key."""
        names = [self.keys.firing(key), self.keys.dead, self.keys.history]
        return bool(self.store.run(RETRY_DEAD, names, key, self.keys.due(""), self.history_length))

    def drop_dead(self, keys: Sequence[str], who: str) -> int:
        """Drop dead letters for good; how many were."""
        return self._drop(self.keys.dead, "", keys, who)

    def drop_held(self, hold: str, keys: Sequence[str], who: str) -> int:
        """Drop firings of a hold for good; how many were."""
        return self._drop(self.keys.held(hold), hold, keys, who)

    def _drop(self, held: str, hold: str, keys: Sequence[str], who: str) -> int:
        names, prefix = [held, self.keys.holds, self.keys.history, self.keys.slots], self.keys.firing("")
        arguments = (hold, prefix, self.retention_ms, self.history_length, who)
        return run_by_parts(self.store, DROP, names, arguments, keys)

    def _page(self, name: str, after: str, count: int) -> tuple[list[Firing], str]:
        start = self._rank(name, RankPlace.of(after)) if after else 0
        found: Any = self.store.client.zrange(name, start, start + count, withscores=True)
        shown = found[:count]
        cursor = str(RankPlace(shown[-1][1], shown[-1][0])) if len(found) > count else ""
        return self._read([key for key, _ in shown]), cursor

    def _rank(self, name: str, cursor: RankPlace) -> int:
        """The place behind a cursor, whose member may be gone by now."""
        client: Any = self.store.client
        rank = client.zrank(name, cursor.key)
        if rank is not None:
            return int(rank) + 1
        low, high = (int(client.zcount(name, "-inf", end)) for end in (f"({cursor.score!r}", repr(cursor.score)))
        while low < high:  # members of one score are in the order of their keys
            middle = (low + high) // 2
            found = client.zrange(name, middle, middle)
            low, high = (middle + 1, high) if found and found[0] < cursor.key else (low, middle)
        return low

    def _list(self, name: str, start: int, count: int) -> list[Firing]:
        keys: Any = self.store.client.zrange(name, start, start + count - 1)
        return self._read(keys)

    def _read(self, keys: Sequence[str]) -> list[Firing]:
        with self.store.client.pipeline(transaction=False) as pipe:
            for key in keys:
                pipe.hgetall(self.keys.firing(key))
            found: list[Any] = pipe.execute() if keys else []
        return [Firing.as_far_as_readable(key, fields) for key, fields in zip(keys, found, strict=True) if fields]
