"""Reading ClearML tasks, hidden ones too, and what an answer must say of each."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final

from triggers.base.errors import ServerUnavailable
from triggers.clearml_api.answers import field, objects
from triggers.clearml_api.connection import Api
from triggers.model.events import milliseconds

#: what the server returns at most
_PAGE_SIZE: Final = 500


def read_tasks(api: Api, query: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Read the ClearML tasks that fit a query, hidden ones too."""
    return objects("tasks.get_all", api.call("tasks.get_all", {**query, "search_hidden": True}).data, "tasks")


def tasks_by_id(
    api: Api, ids: Collection[str], fields: list[str], per_query: int = _PAGE_SIZE
) -> dict[str, dict[str, Any]]:
    """Read fields of ClearML tasks, so many in a query; ids that the server does not have are absent."""
    wanted, found = list(dict.fromkeys(ids)), {}
    for start in range(0, len(wanted), per_query):
        some = wanted[start : start + per_query]  # never empty: no ids would mean no filter
        for task in read_tasks(api, {"id": some, "only_fields": fields, "page": 0, "page_size": _PAGE_SIZE}):
            found[text_of(task, "id")] = task
    return found


def text_of(data: Mapping[str, Any], name: str, endpoint: str = "tasks.get_all") -> str:
    """Take a text that the answer must have.

    Raises:
        ServerUnavailable: It is missing, empty or no text: what the answer says is unknown.
    """
    text = field(endpoint, data, name, str)
    if not text:
        raise ServerUnavailable(f"{endpoint}: its answer has an empty {name}")
    return text


def milliseconds_of(text: str) -> int:
    """Read a time of the server's.

    Raises:
        ServerUnavailable: It is not a time.
    """
    try:
        return milliseconds(text)
    except ValueError as error:
        raise ServerUnavailable(f"tasks.get_all: {text!r:.60} is not a time") from error
