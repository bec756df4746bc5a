"""Objects of one kind in memory: found by id, by change time and by the exact values that are asked for often.

Every change is made between `begin` and `commit`; what lies between them is not interrupted, since the server
answers calls one after the other.
"""

from __future__ import annotations

import copy
import time
from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Iterator
from typing import Any

from .clock import seconds_between

Json = dict[str, Any]
#: a change log is rewritten when it has this many times as many entries as there are objects
COMPACT_FACTOR = 3
#: moves kept of the field that is followed
MOVES_KEPT = 200_000


class ObjectStore:
    """One kind of object, its indexes, its change log, and its past while writes become visible late.

    Every move of the field `followed` from one value to another is kept in the order in which they took effect.
    """

    def __init__(
        self, indexed: tuple[str, ...] = (), indexed_lists: tuple[str, ...] = (), *, followed: str = ""
    ) -> None:
        self.objects: dict[str, Json] = {}
        self.indexes: dict[str, dict[Any, dict[str, Json]]] = {f: {} for f in (*indexed, *indexed_lists)}
        self._indexed, self._indexed_lists = indexed, indexed_lists
        self._entries: dict[str, list[tuple[str, Any]]] = {}
        self._times: list[str] = []
        self._changes: list[tuple[int, str]] = []
        self._version: dict[str, int] = {}
        self._counter = 0
        self._followed = followed
        self._stands: dict[str, Any] = {}
        #: number, id and new value of each move, oldest first; None: the object was removed
        self.moves: deque[tuple[int, str, Any]] = deque(maxlen=MOVES_KEPT)
        self._moved = 0
        #: seconds until a write becomes visible to lists
        self.late_seconds = 0.0
        self._past: dict[str, list[tuple[float, Json | None]]] = {}

    def get(self, key: str) -> Json | None:
        """The object as it is now, or None."""
        return self.objects.get(key)

    def add(self, obj: Json) -> None:
        """Take in a new object."""
        self._remember(obj["id"], None)
        self.objects[obj["id"]] = obj
        self._index(obj)
        self._log(obj)

    def remove(self, obj: Json) -> None:
        """Forget an object."""
        self._remember(obj["id"], obj)
        self._unindex(obj["id"])
        self._version.pop(obj["id"], None)
        del self.objects[obj["id"]]
        if self._stands.pop(obj["id"], None) is not None:
            self._move(obj["id"], None)

    def begin(self, obj: Json) -> Json:
        """Say that `obj` is about to be changed."""
        if self.late_seconds:
            self._remember(obj["id"], obj)
        return obj

    def commit(self, obj: Json, stamp: str = "", *, update: bool = False) -> None:
        """Say that `obj` was changed at `stamp`: moves last_change, with `update` also last_update.

        Without a stamp no time moves (recorded of projects.delete for tasks).
        """
        if stamp:
            obj["last_change"] = stamp
            if update:
                obj["last_update"] = stamp
                if obj.get("status") == "in_progress" and obj.get("started", stamp) < stamp:
                    obj["active_duration"] = seconds_between(obj["started"], stamp)
            self._log(obj)
        self._index(obj)

    # ---- reading ---------------------------------------------------------------------------------------
    def since(self, stamp: str, *, strictly: bool = False) -> Iterator[Json]:
        """Objects whose last_change is at or after (strictly: after) `stamp`, in that order."""
        start = (bisect_right if strictly else bisect_left)(self._times, stamp)
        changes, version, objects = self._changes, self._version, self.objects
        for position in range(start, len(changes)):
            number, key = changes[position]
            if version.get(key) == number:
                yield objects[key]

    def with_value(self, field: str, values: list[Any]) -> Iterator[Json]:
        """Objects whose indexed `field` is, or holds, one of the values; each once."""
        index = self.indexes[field]
        if len(values) == 1:
            return iter(index.get(values[0], {}).values())
        found: dict[str, Json] = {}
        for value in values:
            found.update(index.get(value, {}))
        return iter(found.values())

    def count(self, field: str, values: list[Any]) -> int:
        """At most how many objects `with_value` returns."""
        index = self.indexes[field]
        return sum(len(index.get(value, ())) for value in values)

    def past(self) -> dict[str, Json | None]:
        """Objects that lists still show as they were (None: not yet there), by id."""
        if not self._past:
            return {}
        now = time.monotonic()
        shown: dict[str, Json | None] = {}
        for key in list(self._past):
            versions = self._past[key] = [version for version in self._past[key] if version[0] > now]
            if versions:
                shown[key] = versions[0][1]
            else:
                del self._past[key]
        return shown

    # ---- bookkeeping -----------------------------------------------------------------------------------
    def _remember(self, key: str, obj: Json | None) -> None:
        if self.late_seconds:
            until = time.monotonic() + self.late_seconds
            self._past.setdefault(key, []).append((until, copy.deepcopy(obj)))

    def _follow(self, obj: Json) -> None:
        key, value = obj["id"], obj.get(self._followed)
        if value != self._stands.get(key):
            self._stands[key] = value
            self._move(key, value)

    def _move(self, key: str, value: Any) -> None:
        self._moved += 1
        self.moves.append((self._moved, key, value))

    def _index(self, obj: Json) -> None:
        if self._followed:
            self._follow(obj)
        key = obj["id"]
        entries = [(field, obj.get(field)) for field in self._indexed]
        for field in self._indexed_lists:
            entries += [(field, value) for value in obj.get(field) or ()]
        before = self._entries.get(key)
        if before == entries:
            return
        if before is not None:
            self._unindex(key)
        self._entries[key] = entries
        for field, value in entries:
            self.indexes[field].setdefault(value, {})[key] = obj

    def _unindex(self, key: str) -> None:
        for field, value in self._entries.pop(key, ()):
            values = self.indexes[field]
            members = values.get(value)
            if members is not None:
                members.pop(key, None)
                if not members:
                    del values[value]

    def _log(self, obj: Json) -> None:
        if "last_change" not in obj:
            return
        self._counter += 1
        stamp, entry = obj["last_change"], (self._counter, obj["id"])
        self._version[obj["id"]] = self._counter
        if not self._times or stamp >= self._times[-1]:
            self._times.append(stamp)
            self._changes.append(entry)
        else:  # the clock was set back
            position = bisect_right(self._times, stamp)
            self._times.insert(position, stamp)
            self._changes.insert(position, entry)
        if len(self._changes) > COMPACT_FACTOR * len(self.objects) + 1000:
            self._compact()

    def _compact(self) -> None:
        version = self._version
        kept = [
            (stamp, (number, key))
            for stamp, (number, key) in zip(self._times, self._changes, strict=True)
            if version.get(key) == number
        ]
        self._times = [stamp for stamp, _ in kept]
        self._changes = [entry for _, entry in kept]
