"""Objects by the names that people give them."""

from __future__ import annotations

import re
from typing import Final

from triggers.clearml_api.answers import field, objects, optional
from triggers.clearml_api.connection import Api

#: Objects of one name that are looked at; of more, people have to say the id.
MOST: Final = 20


def find_objects(api: Api, name: str) -> list[tuple[str, str]]:
    """Kind ("task", "model") and id of the objects of exactly that name, the latest first."""
    return [*_find(api, "tasks", "task", name), *_find(api, "models", "model", name)]


def _find(api: Api, service: str, kind: str, name: str) -> list[tuple[str, str]]:
    query = {
        # the server's filter is a regular expression
        "name": f"^{re.escape(name)}$",
        "only_fields": ["id", "name"],
        "order_by": ["-last_update"],
        "search_hidden": True,
        "page": 0,
        "page_size": MOST,
    }
    endpoint = f"{service}.get_all"
    found = objects(endpoint, api.call(endpoint, query).data, service)
    return [(kind, field(endpoint, one, "id", str)) for one in found if optional(endpoint, one, "name", str) == name]
