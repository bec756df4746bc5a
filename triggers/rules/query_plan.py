"""Query plan: what to ask a busy server for, so that it returns what some trigger can concern. Pure.

A trigger requires something of an object (`index.demands`). Queries admit every object that has what one of the
triggers requires, and leave out as many others as the server's filters can. They are asked by `clearml_api.narrowing`.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Final

from triggers.model import Trigger
from triggers.rules.index import demands

#: Fields of the server's filter, and of each the values one of which an object must have.
Query = Mapping[str, frozenset[str]]

#: Not the server's: regular expressions on the full name of a project, which are turned into ids when it is asked.
PROJECT_NAME: Final = "project.name"

#: Fields by how much they leave out.
_BY_WORTH: Final = ("project", PROJECT_NAME, "tags", "system_tags", "ready", "status")

#: The field for each feature that an index goes by. Names and metrics are not asked for.
_FIELDS: Final = {
    "project_id": "project",
    "project": PROJECT_NAME,
    "tag": "tags",
    "archived": "system_tags",
    "published": "ready",
    "status": "status",
}

#: Characters of all expressions on names of projects together, beyond which none are sent: servers refuse long ones.
MOST_TEXT: Final = 8_000


def queries(triggers: Iterable[Trigger]) -> tuple[Query, ...]:
    """Give the queries that together return all that the triggers can concern; none where only everything is enough.

    At most one of them names projects, the last: names are those that projects have when the others were asked.

    Args:
        triggers: those that the source serves.
    """
    groups: dict[str, list[Query]] = defaultdict(list)
    for trigger in triggers:
        need = _need(trigger)
        if not need:
            return ()
        groups[next(field for field in _BY_WORTH if field in need)].append(need)
    joined = sorted((_join(group) for group in groups.values()), key=lambda query: PROJECT_NAME in query)
    return tuple(joined) if all(joined) else ()


def _need(trigger: Trigger) -> Query:
    """Give what an object must have to concern a trigger.

    A trigger that fires on transitions has to see its condition become false, wherever that takes the object.
    """
    if trigger.policy.fire == "on_transition":
        return {}
    need: dict[str, frozenset[str]] = {"system_tags": frozenset({"dataset"})} if trigger.kind == "dataset" else {}
    for alternatives in demands(trigger):
        field = _FIELDS.get(alternatives[0][0])
        if field is not None and field not in need:
            need[field] = frozenset(_value(trigger, *feature) for feature in alternatives)
    if "project" in need:
        need.pop(PROJECT_NAME, None)
        if not str(trigger.project_id).isalnum():  # no id, and perhaps an operator of the server's filters
            del need["project"]
    return need


def _value(trigger: Trigger, feature: str, value: str) -> str:
    if feature == "project":
        # a version of a dataset lies in the hidden project PROJECT/.datasets/NAME
        return re.escape(value) + (r"(?:/\.datasets/|$)" if trigger.kind == "dataset" else "$")
    return value or feature


def _join(needs: list[Query]) -> Query:
    """Give the query for objects of all needs; a field narrows it if it is in each."""
    shared = set[str].intersection(*(set(need) for need in needs))
    query = {field: frozenset[str]().union(*(need[field] for need in needs)) for field in shared}
    if sum(map(len, query.get(PROJECT_NAME, ()))) > MOST_TEXT:
        del query[PROJECT_NAME]
    return query
