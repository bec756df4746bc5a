"""Queues and projects by the names that people give them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Literal

from triggers.base.errors import Refused
from triggers.clearml_api.answers import field, objects
from triggers.clearml_api.connection import Api

_DUPLICATE = (400, 801)
#: Names in one pattern.
_NAMES_AT_ONCE = 100


def find_queue(api: Api, name_or_id: str) -> str | None:
    """Id of a queue; a name goes before an id. None when there is none: it is never made."""
    return _named(api, "queues", name_or_id) or _first(
        api, "queues", {"id": [name_or_id], "only_fields": ["id"]}, {"id": name_or_id}
    )


def find_project(api: Api, name: str, create: bool = False) -> str | None:
    """Id of a project by its full name, hidden or not; `create` makes a missing one (once, raced or not)."""
    found = _named(api, "projects", name)
    if found or not create:
        return found
    try:
        answer = api.call("projects.create", {"name": name, "description": ""})
    except Refused as refused:
        if (refused.code, refused.subcode) != _DUPLICATE:
            raise
        return _named(api, "projects", name)
    return field("projects.create", answer.data, "id", str)


def find_projects(api: Api, names: Sequence[str]) -> dict[str, str]:
    """Ids of projects by their full names, hidden or not; a name without a project is absent. Many in one request."""
    found: dict[str, str] = {}
    for start in range(0, len(names), _NAMES_AT_ONCE):
        wanted = {name for name in names[start : start + _NAMES_AT_ONCE] if name}
        # the server's filter is a regular expression; `$` would also match before a newline at the end
        pattern = f"^({'|'.join(re.escape(name) for name in sorted(wanted))})$"
        query = {"name": pattern, "only_fields": ["id", "name"], "search_hidden": True, "page": 0, "page_size": 500}
        for one in objects("projects.get_all", api.call("projects.get_all", query).data, "projects") if wanted else ():
            if one.get("name") in wanted:
                found.setdefault(str(one["name"]), field("projects.get_all", one, "id", str))
    return found


def project_name(api: Api, id_: str) -> str | None:
    """Full name of a project by its id, hidden or not; None when there is none."""
    query = {"id": [id_], "only_fields": ["id", "name"], "search_hidden": True}
    for one in objects("projects.get_all", api.call("projects.get_all", query).data, "projects"):
        if one.get("id") == id_:
            return field("projects.get_all", one, "name", str)
    return None


def known_names(api: Api, service: Literal["projects", "queues"]) -> list[str]:
    """Names of what there is, hidden or not: the 500 that changed last."""
    query = {"only_fields": ["name"], "search_hidden": True, "page": 0, "page_size": 500}
    if service == "projects":
        query["order_by"] = ["-last_update"]
    endpoint = f"{service}.get_all"
    return [field(endpoint, one, "name", str) for one in objects(endpoint, api.call(endpoint, query).data, service)]


def known_tags(api: Api) -> list[str]:
    """Tags that ClearML tasks, models and datasets of the workspace have; none where the server does not tell."""
    try:
        answer = api.call("organization.get_tags", {})
    except Refused:  # a right that lacks, or a server without the call: what asks only gives advice
        return []
    found = field("organization.get_tags", answer.data, "tags", list)
    return [tag for tag in found if isinstance(tag, str)]


def _named(api: Api, service: str, name: str) -> str | None:
    if not name:
        return None
    # the server's filter is a regular expression; `$` would also match before a newline at the end
    query = {"name": f"^{re.escape(name)}$", "only_fields": ["id", "name"], "search_hidden": True}
    return _first(api, service, query, {"name": name})


def _first(api: Api, service: str, query: dict[str, Any], exactly: dict[str, str]) -> str | None:
    endpoint = f"{service}.get_all"
    for one in objects(endpoint, api.call(endpoint, query).data, service):
        if exactly.items() <= one.items():
            return field(endpoint, one, "id", str)
    return None
