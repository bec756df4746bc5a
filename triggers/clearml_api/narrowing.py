"""Reading a busy server: only what triggers can concern. Why nothing is missed is in docs/decisions/0010.

While little changes, polls read all of it. When it does not fit a small page, the queries of `query_plan` are asked
instead, for the rest of that poll and for the next ones.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any, Final

from triggers.clearml_api import polls
from triggers.clearml_api.answers import field, objects
from triggers.clearml_api.connection import Api
from triggers.clearml_api.polls import Listing, PollPage, Reader
from triggers.model.clauses import PROJECT_NAME
from triggers.rules.query_plan import Query

#: Changed objects that are little: all of them are read.
FEW: Final = 100
#: Polls that narrow after one that found more; the next looks whether there still are.
NARROWED_POLLS: Final = 20
#: Pages of which the projects are looked up at once.
_PAGES_AT_ONCE: Final = 10
#: With an empty list, there would be no filter.
_NOWHERE: Final = "0" * 32


@dataclass
class Narrowing:
    """What a poller remembers of one source. A guess at what to ask for first: nothing depends on its being right.

    `polls`: how many are to narrow yet. `projects`: ids of the projects that triggers name, as last met. `narrowed`:
    whether the last poll left something out. `at_once`: pages of which the projects are looked up at once; one after
    the server failed, so that what was read before it fails again is kept.
    """

    polls: int = 0
    projects: frozenset[str] | None = None
    narrowed: bool = False
    at_once: int = _PAGES_AT_ONCE


def read(
    api: Api, source: Listing, queries: tuple[Query, ...], since_ms: int, memory: Narrowing, *, fresh_ms: int
) -> Iterator[PollPage]:
    """Read the objects that changed at `since_ms` or later and that a trigger can concern.

    Others come as well while they are few. The same is guaranteed of what a trigger can concern as of everything
    without queries, but that a project has to keep its name for the two requests of a page.

    Args:
        api: The server.
        source: What is read.
        queries: What is enough for the triggers; none where only everything is.
        since_ms: From when to read.
        memory: Of this source; is changed.
        fresh_ms: How far polls have read; what changed before says nothing of how busy the server is now.
    """
    memory.narrowed = False
    if not queries:
        yield from Reader(api, source, {}).pages(since_ms)
        return
    if memory.polls:
        memory.polls -= 1
    else:
        page = next(Reader(api, source, {}, FEW).pages(since_ms))
        if not page.last and all(event.changed_ms >= fresh_ms for event in page.events):
            memory.polls = NARROWED_POLLS
        yield page
        if page.last:
            return
        since_ms = page.read_to_ms
    memory.narrowed = True
    yield from _all_of(api, source, queries, since_ms, memory)


def _all_of(
    api: Api, source: Listing, queries: tuple[Query, ...], since_ms: int, memory: Narrowing
) -> Iterator[PollPage]:
    """Ask all queries, one after the other; up to which time all were read is known when the last one is asked."""
    *first, last = queries
    ended_ms = []
    for query in first:
        for page in _one(api, source, query, since_ms, memory):
            if page.last:
                ended_ms.append(page.server_ms)
            yield replace(page, read_to_ms=since_ms, last=False)
    for page in _one(api, source, last, since_ms, memory):
        yield replace(page, read_to_ms=min([page.read_to_ms, *ended_ms]), server_ms=min([page.server_ms, *ended_ms]))


def _one(api: Api, source: Listing, query: Query, since_ms: int, memory: Narrowing) -> Iterator[PollPage]:
    """Read what one query admits; projects by the names that they have when they are read.

    Pages are read of the projects that had the names before, and the names are looked up after it: a project that
    has one of them by then and was not asked for shows now, and the pages are read again, with it.
    """
    ids = None
    if PROJECT_NAME in query:
        ids = _ids(api, query) if memory.projects is None else memory.projects
    pages = None
    while True:
        pages = pages or Reader(api, source, filters(query, ids)).pages(since_ms)
        if ids is None:
            found = [next(pages)]
        else:
            asked, (found, ids) = ids, _found_with_ids(api, query, pages, memory)
            if ids is None or ids - asked:
                pages = None
                continue
        yield from found
        if found[-1].last:
            return
        since_ms = found[-1].read_to_ms


def _found_with_ids(
    api: Api, query: Query, pages: Iterator[PollPage], memory: Narrowing
) -> tuple[list[PollPage], frozenset[str] | None]:
    """Read some pages, and look up after them which projects have the names."""
    number, memory.at_once = memory.at_once, 1
    found = list(islice(pages, number))
    memory.projects = _ids(api, query)
    memory.at_once = min(_PAGES_AT_ONCE, 2 * number)
    return found, memory.projects


def _ids(api: Api, query: Query) -> frozenset[str] | None:
    """Look up the projects that a query names; None when they are too many to be asked for."""
    answer = api.call(
        "projects.get_all",
        {
            **project_filter(query),
            "only_fields": ["id", "name"],
            "page": 0,
            "page_size": polls.PAGE_SIZE,
            "search_hidden": True,
        },
    )
    found = objects("projects.get_all", answer.data, "projects")
    return None if len(found) >= polls.PAGE_SIZE else frozenset(field("projects.get_all", p, "id", str) for p in found)


def project_filter(query: Query) -> Mapping[str, Any]:
    """Write the filter for the projects that a query names."""
    return {"name": f"^(?:{'|'.join(sorted(query[PROJECT_NAME]))})"}


def filters(query: Query, ids: frozenset[str] | None) -> Mapping[str, Any]:
    """Write the filters of a query; without ids of projects these are left open."""
    found: dict[str, Any] = {name: sorted(values) for name, values in query.items() if name != PROJECT_NAME}
    if "ready" in found:
        found["ready"] = True
    if ids is not None:
        found["project"] = sorted(ids) or [_NOWHERE]
    return found
