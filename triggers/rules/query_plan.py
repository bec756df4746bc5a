"""Query plan: what to ask a busy server for, so that it returns what some trigger can concern. Pure.

A trigger requires something of an object (`conditions.needs`). Queries admit every object that has what one of the
triggers requires, and leave out as many others as the server's filters can. They are asked by `clearml_api.narrowing`.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Final

from triggers.model import Trigger
from triggers.model.clauses import FEATURES, PROJECT_NAME
from triggers.rules.conditions import needs

#: Fields of the server's filter, and of each the values one of which an object must have.
Query = Mapping[str, frozenset[str]]

#: Fields by how much they leave out. Names and metrics are not asked for.
_BY_WORTH: Final = tuple(feature.asked_as for feature in FEATURES.values() if feature.asked_as)

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
    for feature, values in needs(trigger):
        field = FEATURES[feature].asked_as
        if field and field not in need:
            need[field] = frozenset(_value(trigger, field, value) for value in values)
    if "project" in need:
        need.pop(PROJECT_NAME, None)
        if not str(trigger.project_id).isalnum():  # no id, and perhaps an operator of the server's filters
            del need["project"]
    return need


def _value(trigger: Trigger, field: str, value: str) -> str:
    if field == PROJECT_NAME:
        # a version of a dataset lies in the hidden project PROJECT/.datasets/NAME
        return re.escape(value) + (r"(?:/\.datasets/|$)" if trigger.kind == "dataset" else "$")
    return value


def _join(needs: list[Query]) -> Query:
    """Give the query for objects of all needs; a field narrows it if it is in each."""
    shared = set[str].intersection(*(set(need) for need in needs))
    query = {field: frozenset[str]().union(*(need[field] for need in needs)) for field in shared}
    if sum(map(len, query.get(PROJECT_NAME, ()))) > MOST_TEXT:
        del query[PROJECT_NAME]
    return query
