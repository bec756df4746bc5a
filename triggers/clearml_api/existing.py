"""Which objects are still on the ClearML server, archived and hidden ones too."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from triggers.clearml_api.answers import field, objects
from triggers.clearml_api.connection import Api

#: Ids in one query: what the server returns at most.
_PER_QUERY: Final = 500


def existing(api: Api, collection: str, ids: Sequence[str]) -> set[str]:
    """Give those of the ids that a collection ("tasks", "models") has. One request for 500.

    Raises:
        ServerUnavailable: No answer, or one that is of other objects.
    """
    endpoint, found = f"{collection}.get_all", set[str]()
    for start in range(0, len(ids), _PER_QUERY):
        some = list(ids[start : start + _PER_QUERY])
        query = {"id": some, "only_fields": ["id"], "search_hidden": True, "page": 0, "page_size": _PER_QUERY}
        answer = api.call(endpoint, query)
        found |= {field(endpoint, one, "id", str) for one in objects(endpoint, answer.data, collection)}
    return found.intersection(ids)
