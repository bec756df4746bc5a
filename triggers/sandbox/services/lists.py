"""get_all and get_all_ex, the same for every kind of object."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .. import errors
from ..calls import Call, Json
from ..filters import Query, select
from ..filters.kinds import ListedKind
from ..filters.order import ordered
from ..filters.projection import Lookup, Projection
from ..filters.scrolls import scroll
from ..state import COMPANY_NAME, USER_NAME, SandboxState
from ..store import ObjectStore


def list_stored(call: Call, kind: ListedKind, store: ObjectStore, *, extended: bool = False) -> Json:
    """The page of a store that a request asks for."""
    body = with_subprojects(call)
    query = Query(kind, body if call.state.release.filters_changes else _without_changes(body))
    projection = Projection(kind, only_fields(body), extended=extended)
    answer: Json = {}
    if extended and ("scroll_id" in body or body.get("size") is not None):
        found, answer["scroll_id"] = scroll(call.state.scrolls, store, query, body)
    else:
        found = select(store, query)
    lookup = finder(call.state)
    return {kind.name: [projection.apply(obj, lookup) for obj in found], **answer}


def list_plain(call: Call, kind: ListedKind, objects: Iterable[Json], *, extended: bool = False) -> list[Json]:
    """The page of a few objects (projects, queues) that a request asks for."""
    query = Query(kind, call.body)
    projection = Projection(kind, only_fields(call.body), extended=extended)
    passing = ordered([obj for obj in objects if query.passes(obj)], query.order)
    lookup = finder(call.state)
    return [projection.apply(obj, lookup) for obj in passing[query.start : query.stop]]


def _without_changes(body: Json) -> Json:
    """The request as releases read it that know no filter on last_change, nor on the times of several fields."""

    def known(field: str, value: Any) -> bool:
        return field != "last_change" and not (isinstance(value, dict) and "datetime" in value)

    return {field: value for field, value in body.items() if known(field, value)}


def only_fields(body: Json) -> list[str]:
    """The fields that a request asks for; a single one may come as a text."""
    names = body.get("only_fields") or []
    return [names] if isinstance(names, str) else names


def with_subprojects(call: Call) -> Json:
    """The request with the projects below those it names, if it asks for them."""
    body, projects = call.body, call.body.get("project")
    if not projects or not body.get("include_subprojects"):
        return body
    if isinstance(projects, str):
        projects = [projects]
    if not all(isinstance(project, str) for project in projects):
        raise errors.bad_value("failed parsing query field", field="project")
    return {**body, "project": [below for project in projects for below in call.state.below(project)]}


def finder(state: SandboxState) -> Lookup:
    """Finds the objects that others refer to."""

    def lookup(kind: str, key: str) -> Json | None:
        if kind == "project":
            return state.projects.get(key)
        if kind == "user":
            return {"id": state.user, "name": USER_NAME}
        if kind == "company":
            return {"id": state.company, "name": COMPANY_NAME}
        return (state.tasks if kind == "task" else state.models).get(key)

    return lookup
