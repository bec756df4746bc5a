"""Lists that are read page by page, by number."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from triggers.base.errors import ServerUnavailable
from triggers.clearml_api.answers import objects
from triggers.clearml_api.connection import Api


def pages(api: Api, endpoint: str, key: str, query: Mapping[str, Any], size: int) -> Iterator[list[dict[str, Any]]]:
    """Read pages of a list, each object once, until one is not full. The fields asked for must have the id.

    Raises:
        ServerUnavailable: a full page brought nothing new: reading on would never end.
    """
    seen: set[str] = set()
    number = 0
    while True:
        found = objects(endpoint, api.call(endpoint, {**query, "page": number, "page_size": size}).data, key)
        new = [one for one in found if str(one.get("id")) not in seen]
        yield new
        if len(found) < size:
            return
        if not new:
            raise does_not_move(endpoint, f"page {number} has nothing that was not on the pages before it")
        seen.update(str(one.get("id")) for one in new)
        number += 1


def does_not_move(endpoint: str, words: str) -> ServerUnavailable:
    """The error for a list whose pages do not move on."""
    return ServerUnavailable(f"{endpoint}: {words}, so that the list cannot be read")
