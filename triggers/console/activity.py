"""What happened, indexed in memory as the history grows: counts for sparklines, and ids for filters.

Redis has the history; this is an index of it that any restart makes again. One thread reads on at a time.
"""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

import redis

from triggers.ledger.history.history import HistoryEntry
from triggers.ledger.history.paging import entry_order
from triggers.ledger.history.streams import Stream
from triggers.operate.history import Filter

#: Minutes whose launches are counted one by one.
MINUTES: Final = 24 * 60
_MINUTE_MS: Final = 60_000
#: Entries fetched at once while a filter is followed back.
_CHUNK: Final = 200


@dataclass(frozen=True, slots=True)
class HistoryPage:
    """Some entries, newest first, and the id to go on after, "" at the end."""

    entries: tuple[HistoryEntry, ...]
    next: str


class Activity:
    """The history of one scheduler, as far as it is kept."""

    def __init__(self, stream: Stream, length: int) -> None:
        self._stream, self._length = stream, length
        self._lock = threading.Lock()
        self._all: deque[tuple[str, tuple[tuple[str, str], ...]]] = deque()
        self._ids: dict[tuple[str, str], deque[str]] = {}
        self._launches: dict[str, Counter[int]] = {}

    def read_on(self) -> None:
        """Take in what has happened since the last time.

        Raises:
            redis.RedisError: no answer; the next call goes on from the same place.
        """
        with self._lock:
            for id_, fields in self._stream.fresh():
                self._add(HistoryEntry.of(id_, fields))
            while len(self._all) > self._length:
                self._forget()

    def _add(self, entry: HistoryEntry) -> None:
        names = tuple((name, value) for name, value in _indexed(entry) if value)
        self._all.append((entry.id, names))
        for name in names:
            self._ids.setdefault(name, deque()).append(entry.id)
        if entry.is_launch:
            minutes = self._launches.setdefault(entry.trigger, Counter())
            minutes[entry.at_ms // _MINUTE_MS] += 1
            if len(minutes) > 2 * MINUTES:
                oldest = entry.at_ms // _MINUTE_MS - MINUTES
                self._launches[entry.trigger] = Counter({at: n for at, n in minutes.items() if at > oldest})

    def _forget(self) -> None:
        """Forget the oldest entry: it is the first of each list that it is in."""
        _, names = self._all.popleft()
        for name in names:
            ids = self._ids[name]
            ids.popleft()
            if not ids:
                del self._ids[name]

    def launches(self, trigger: str, now_ms: int, minutes: int, buckets: int) -> list[int]:
        """How often a trigger launched, in so many equal parts of the last minutes, oldest first."""
        each, last = max(1, minutes // buckets), now_ms // _MINUTE_MS
        counts = [0] * buckets
        with self._lock:
            for minute, count in self._launches.get(trigger, {}).items():
                back = (last - minute) // each
                if 0 <= back < buckets:
                    counts[buckets - 1 - back] += count
        return counts

    def launch_of(self, task: str) -> HistoryEntry | None:
        """The firing that launched a ClearML task, as far as the history goes back."""
        with self._lock:
            ids = list(islice(reversed(self._ids.get(("task", task), deque[str]())), _CHUNK))
        return next((entry for entry in self._read(ids) if entry.what == "launched"), None)

    def page(self, wanted: Filter, before: str, size: int) -> HistoryPage:
        """Entries that pass, newest first, from before an id on ("" for the newest).

        Raises:
            Usage: it is not an id of an entry.
        """
        found: list[HistoryEntry] = []
        for entry in self._candidates(wanted, before, size + 1):
            if entry.at_ms < wanted.since_ms:
                break
            if wanted.passes(entry):
                found.append(entry)
                if len(found) > size:
                    return HistoryPage(tuple(found[:size]), found[size - 1].id)
        return HistoryPage(tuple(found), "")

    def _candidates(self, wanted: Filter, before: str, first: int) -> Iterator[HistoryEntry]:
        """Entries that may pass, newest first: those of the rarest thing that is asked for, few at first."""
        limit = entry_order(before) if before else None
        names = [("trigger", wanted.trigger), ("object", wanted.object)]
        names += [("what", wanted.what[0])] if len(wanted.what) == 1 else []
        if not any(value for _, value in names):
            yield from (HistoryEntry.of(*one) for one in self._stream.backwards(page=first, before=before))
            return
        with self._lock:
            narrowed = [self._ids.get(name, deque[str]()) for name in names if name[1]]
            ids = list(sorted(narrowed, key=len)[0])
        end = len(ids) if limit is None else bisect_left(ids, limit, key=entry_order)
        while end > 0:
            begin = max(0, end - first)
            yield from self._read(ids[begin:end][::-1])
            end, first = begin, _CHUNK

    def _read(self, ids: Sequence[str]) -> Iterator[HistoryEntry]:
        for id_, fields in self._stream.each(ids):
            yield HistoryEntry.of(id_, fields)


def _indexed(entry: HistoryEntry) -> tuple[tuple[str, str], ...]:
    """What an entry can be found by."""
    names = ("trigger", entry.trigger), ("object", entry.object), ("what", entry.what), ("task", entry.task)
    return tuple((name, value) for name, value in names if value)


#: What reading on raises while Redis is away.
AWAY: Final = (redis.ConnectionError, redis.TimeoutError)
