"""A filter's answer equals that of a naive evaluation, whatever index it goes through."""

from __future__ import annotations

import math
from typing import Any

import naive_filters as naive
from hypothesis import given, settings
from hypothesis import strategies as st

from triggers.sandbox.clock import stamp
from triggers.sandbox.filters import Query, select
from triggers.sandbox.filters.kinds import TASKS
from triggers.sandbox.store import ObjectStore

Json = dict[str, Any]
START = 1_800_000_000
TAGS = st.sampled_from(["a", "b", "c", "-a", "archived"])
TIMES = st.integers(0, 12).map(lambda n: stamp(START + n * 0.0015))
NUMBERS = st.sampled_from([-1, 0, 0.5, 1, math.inf, -math.inf])
STATUSES = st.sampled_from(["created", "queued", "failed"])


@st.composite
def tasks(draw: st.DrawFn) -> Json:
    update, change = sorted([draw(TIMES), draw(TIMES)])
    task: Json = {
        "name": draw(st.sampled_from(["alpha one", "Alpha", "beta.one", "ż", "abc"])),
        "tags": sorted(draw(st.sets(TAGS, max_size=3))),
        "system_tags": sorted(draw(st.sets(TAGS, max_size=2))),
        "status": draw(STATUSES),
        "last_update": update,
        "last_change": change,
        "last_metrics": {},
        "hyperparams": {},
    }
    if draw(st.booleans()):
        task["project"] = draw(st.sampled_from(["p", "q"]))
    if draw(st.booleans()):
        task["status_changed"] = draw(TIMES)
    if draw(st.booleans()):
        task["comment"] = draw(st.sampled_from(["one", "two"]))
    if draw(st.booleans()):
        task["last_metrics"] = {"m": {"v": {"max_value": draw(st.one_of(NUMBERS, st.just(math.nan)))}}}
    if draw(st.booleans()):
        task["hyperparams"] = {"S": {"n": {"value": draw(st.sampled_from(["1", "2"]))}}}
    return task


@st.composite
def lists(draw: st.DrawFn, values: st.SearchStrategy[Any]) -> list[Any]:
    items: list[Any] = []
    for value in draw(st.lists(st.one_of(values, st.none()), max_size=4)):
        operator = draw(st.sampled_from(["", "", "", "__$all", "__$any", "__$not", "__$and", "__$or"]))
        items += [operator, value] if operator else [value]
    return items


def forms(time: str) -> st.SearchStrategy[str]:
    """One time, written in several ways."""
    plain = time.replace("+00:00", "")
    return st.sampled_from([time, plain, plain + "Z", plain[:-3], plain[:-3] + "999"])


@st.composite
def times(draw: st.DrawFn) -> list[str]:
    operators = st.sampled_from([">", ">=", "<", "<=", ""])
    return draw(st.lists(st.builds(str.__add__, operators, TIMES.flatmap(forms)), min_size=1, max_size=2))


RANGES = st.tuples(st.one_of(st.none(), NUMBERS), st.one_of(st.none(), NUMBERS)).map(list)
PATTERNS = st.sampled_from(["alpha", "(?i)alpha", "one$", "^a", "beta.one", r"beta\.one", "a|ż", "[1-2]"])
FIELDS = st.lists(st.sampled_from(["name", "comment", "hyperparams.S.n.value"]), min_size=1, max_size=3)
BOTH_TIMES = st.just(["last_update", "last_change"])
REQUESTS = st.fixed_dictionaries(
    {},
    optional={
        "tags": lists(TAGS),
        "system_tags": lists(TAGS),
        "status": lists(STATUSES),
        "project": lists(st.sampled_from(["p", "q", "missing"])),
        "hyperparams.S.n.value": lists(st.sampled_from(["1", "2"])),
        "last_change": times(),
        "last_update": times(),
        "status_changed": times(),
        "name": PATTERNS,
        "comment": PATTERNS,
        "last_metrics.m.v.max_value": RANGES.filter(lambda ends: ends != [None, None]),
        "_any_": st.fixed_dictionaries({"fields": FIELDS, "pattern": PATTERNS}),
        "_all_": st.fixed_dictionaries({"fields": FIELDS, "pattern": PATTERNS}),
        "_or_": st.fixed_dictionaries({"fields": BOTH_TIMES, "datetime": times()}),
        "_and_": st.fixed_dictionaries({"fields": BOTH_TIMES, "datetime": times()}),
        "order_by": st.sampled_from([["last_change"], ["-last_change"], ["name", "-last_change"], []]),
    },
)


def stored(items: list[Json]) -> ObjectStore:
    """The tasks in a store, some of them changed once more, so that its indexes have had to follow."""
    store = ObjectStore(("project", "status", "parent"), ("tags", "system_tags"))
    for i, item in enumerate(items):
        first = {**item, "id": f"id{i}", "status": "created", "tags": ["old"], "last_change": stamp(START - 9)}
        store.add(first)
    for i, item in enumerate(items):
        obj = store.begin(store.objects[f"id{i}"])
        obj.update(item)
        store.commit(obj, item["last_change"])
    return store


@settings(max_examples=200)
@given(st.lists(tasks(), max_size=12), REQUESTS)
def test_filter_answers_as_a_naive_evaluation(items: list[Json], body: Json):
    store = stored(items)
    answer = select(store, Query(TASKS, body))
    expected = [obj["id"] for obj in store.objects.values() if naive.passes(obj, body)]
    assert sorted(obj["id"] for obj in answer) == sorted(expected)
    for name in reversed(body.get("order_by", [])):
        values = [obj[name.lstrip("-")] for obj in answer]
        if name == body["order_by"][0]:
            assert values == sorted(values, reverse=name.startswith("-"))


@settings(max_examples=50)
@given(st.lists(tasks(), max_size=12), REQUESTS, st.integers(1, 4))
def test_pages_together_are_the_whole_answer(items: list[Json], body: Json, size: int):
    store = stored(items)
    body = {**body, "order_by": ["last_change"]}
    whole = [obj["id"] for obj in select(store, Query(TASKS, body))]
    pages: list[str] = []
    for page in range(len(items) + 1):
        pages += [obj["id"] for obj in select(store, Query(TASKS, {**body, "page": page, "page_size": size}))]
    assert pages == whole


@settings(max_examples=50)
@given(st.lists(tasks(), max_size=15), REQUESTS, st.integers(2, 5))
def test_keyset_paging_yields_each_object_once(items: list[Json], body: Json, size: int):
    """The first page of `last_change >= T`, then T moves; within one time that fills a page, by pages."""
    store = stored(items)
    body = {key: value for key, value in body.items() if key != "last_change"}
    seen: list[str] = []
    since = stamp(START - 20)
    while True:
        query = {**body, "last_change": [f">={since}"], "order_by": ["last_change"], "page": 0, "page_size": size}
        page = select(store, Query(TASKS, query))
        if page and page[-1]["last_change"] == since and len(page) == size:
            ties = {**query, "last_change": [since], "page_size": 500}
            page = select(store, Query(TASKS, ties))
            page += select(store, Query(TASKS, {**query, "last_change": [f">{since}"]}))
        new = [obj for obj in page if obj["id"] not in seen]
        if not new:
            break
        seen += [obj["id"] for obj in new]
        since = page[-1]["last_change"]
    assert sorted(seen) == sorted(obj["id"] for obj in store.objects.values() if naive.passes(obj, body))
    assert len(set(seen)) == len(seen)
