"""Scrolls of get_all_ex: the list as it was when the scroll began, handed out `size` at a time."""

from __future__ import annotations

from typing import Any

from ..calls import Json, new_id
from ..store import ObjectStore
from .query import PAGE_LIMIT, Query
from .select import select

#: scrolls that are remembered; the oldest is forgotten first
SCROLLS_KEPT = 1000


def scroll(scrolls: dict[str, list[str]], store: ObjectStore, query: Query, body: Json) -> tuple[list[Any], str]:
    """The next objects of a scroll and its id; an unknown id begins a new scroll."""
    size = body.get("size")
    size = min(size, PAGE_LIMIT) if isinstance(size, int) and size > 0 else PAGE_LIMIT
    key = body.get("scroll_id")
    if key not in scrolls or body.get("refresh_scroll"):
        key = new_id()
        query.start, query.stop = 0, len(store.objects) + 1
        scrolls[key] = [obj["id"] for obj in select(store, query)]
        while len(scrolls) > SCROLLS_KEPT:
            del scrolls[next(iter(scrolls))]
    left = scrolls[key]
    scrolls[key] = left[size:]
    found = (store.get(item) for item in left[:size])
    return [obj for obj in found if obj is not None], key
