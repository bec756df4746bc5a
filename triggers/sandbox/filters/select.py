"""Carry out a query on a store: through the index that leaves the fewest candidates, as far as the page goes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from ..store import ObjectStore
from .order import ordered
from .query import Query

Json = dict[str, Any]
_BY_CHANGE = [("last_change", False)]


def select(store: ObjectStore, query: Query) -> list[Json]:
    """The page of objects that pass, in order."""
    past = store.past()
    if past:
        return _select_past(store, query, past)
    candidates, by_change = _candidates(store, query)
    passing = (obj for obj in candidates if query.passes(obj))
    if not query.order or (by_change and query.order == _BY_CHANGE):
        return list(islice(passing, query.start, query.stop))
    return ordered(list(passing), query.order)[query.start : query.stop]


def _candidates(store: ObjectStore, query: Query) -> tuple[Iterable[Json], bool]:
    """Objects that may pass, and whether they come in the order of last_change."""
    ids = query.wanted["id"].exact() if "id" in query.wanted else []
    if ids:
        return _by_id(store, ids), False
    best: tuple[int, str, list[Any]] | None = None
    for field, wanted in query.wanted.items():
        values = wanted.exact() if field in store.indexes else []
        if values:
            count = store.count(field, values)
            if best is None or count < best[0]:
                best = (count, field, values)
    if query.since is not None and (best is None or best[0] > 1000):
        return store.since(query.since[0], strictly=query.since[1]), True
    if best is not None:
        return store.with_value(best[1], best[2]), False
    if query.order == _BY_CHANGE:
        return store.since(""), True
    return store.objects.values(), False


def _by_id(store: ObjectStore, ids: list[Any]) -> Iterator[Json]:
    found = (store.get(key) for key in dict.fromkeys(key for key in ids if isinstance(key, str)))
    return (obj for obj in found if obj is not None)


def _select_past(store: ObjectStore, query: Query, past: dict[str, Json | None]) -> list[Json]:
    """The same while some writes are not visible yet: those objects are seen as they were."""
    current = (obj for key, obj in store.objects.items() if key not in past)
    before = (obj for obj in past.values() if obj is not None)
    passing = [obj for objects in (current, before) for obj in objects if query.passes(obj)]
    return ordered(passing, query.order)[query.start : query.stop]
