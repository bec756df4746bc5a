"""Keyset reading against a model of the server in which objects change between any two calls."""

import itertools
import logging
import math
import random
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from triggers.base.errors import ServerUnavailable
from triggers.clearml_api import Answer, polls
from triggers.model.events import ASKED, iso_time, metric_key, milliseconds

TASKS = polls.tasks()


class Server:
    """get_all_ex of a server: filter by last_change, order, pages; ties in any order, which it keeps or not."""

    def __init__(self, seed=0, between=lambda server: None, keeps_ties=True):
        self.objects, self.queries = {}, []
        self.now = 10_000
        self.between = between
        self.random = random.Random(seed)
        self.keeps_ties, self.rank = keeps_ties, {}

    def put(self, id_, at=None, **fields):
        if at is None:
            self.now += 1
        at = self.now if at is None else at
        self.rank[id_] = self.random.random()
        self.objects[id_] = {"id": id_, "name": id_, "last_change": iso_time(at), **fields}

    def call(self, endpoint, body):
        self.between(self)
        self.queries.append((endpoint, body))
        found = [one for one in self.objects.values() if self.matches(one, body)]
        rank = self.rank if self.keeps_ties else {one["id"]: self.random.random() for one in found}
        found.sort(key=lambda one: (one["last_change"], rank[one["id"]]))
        size = min(body["page_size"], polls.PAGE_SIZE)
        page = found[body["page"] * size : (body["page"] + 1) * size]
        return Answer({endpoint.partition(".")[0]: page}, self.now - 1)

    @staticmethod
    def matches(one, body):
        if "task" in body and one.get("task") not in body["task"]:
            return False
        time = milliseconds(one["last_change"])
        low = milliseconds(body["last_change"][0].removeprefix(">="))
        high = milliseconds(body["last_change"][1].removeprefix("<=")) if len(body["last_change"]) > 1 else math.inf
        return low <= time <= high


@pytest.fixture
def small_pages(monkeypatch):
    monkeypatch.setattr(polls, "PAGE_SIZE", 4)


def read(server, since=0, listing=TASKS):
    return list(polls.read(server, listing, since))


def ids(pages):
    return [event.id for page in pages for event in page.events]


def test_read_tasks_asks_once_for_everything_when_little_changed():
    server = Server()
    server.put("a", type="training", status="failed", project={"id": "p", "name": "P"}, tags=["x"])
    key = metric_key("t", "v")
    pages = read(server, 10_000, polls.tasks({key}))
    assert len(server.queries) == len(pages) == 1
    endpoint, body = server.queries[0]
    assert endpoint == "tasks.get_all_ex"
    assert body == {
        "last_change": [">=1970-01-01T00:00:10.000000+00:00"],
        "order_by": ["last_change"],
        "page": 0,
        "page_size": 500,
        "search_hidden": True,
        "only_fields": [
            *ASKED["tasks"],
            *(f"last_metrics.{key}.{part}" for part in ("value", "min_value", "max_value")),
        ],
    }
    (event,) = pages[0].events
    assert (event.id, event.status, event.project, event.tags) == ("a", "failed", "P", ("x",))


def test_read_to_is_the_servers_time_on_the_last_page_only(small_pages):
    server = Server()
    for number in range(6):
        server.put(str(number), at=10_000 + number)
    server.now = 20_001
    pages = read(server)
    assert [(page.read_to_ms, page.last) for page in pages] == [(10_003, False), (20_000, True)]
    assert ids(pages) == list("012345")


def test_read_to_does_not_step_back_when_the_servers_time_is_behind():
    server = Server()
    server.put("a", at=30_000)
    assert [page.read_to_ms for page in read(server, 25_000)] == [30_000]
    assert [page.read_to_ms for page in read(server, 40_000)] == [40_000]
    assert read(server, 40_000)[0].server_ms == server.now - 1


@pytest.mark.parametrize("keeps_ties", [True, False])
def test_more_objects_of_one_time_than_a_page_holds_are_all_read_once(small_pages, keeps_ties):
    server = Server(keeps_ties=keeps_ties)
    server.put("before", at=9_999)
    for number in range(11):
        server.put(f"same{number:02}", at=10_000)
    server.put("after", at=10_001)
    pages = read(server)
    assert sorted(ids(pages)) == sorted(server.objects)
    assert not keeps_ties or len(server.queries) < 10
    assert all(page.read_to_ms <= 10_000 for page in pages if any(e.id.startswith("same") for e in page.events))


def test_one_time_that_never_settles_is_unavailable_and_not_skipped(small_pages, monkeypatch):
    monkeypatch.setattr(polls, "_PASSES", 8)
    counter = itertools.count()

    def churn(server):  # again and again one more object shows up with that time
        if next(counter) % 3 == 1:
            server.put(f"late{next(counter)}", at=10_000)

    server = Server(between=churn)
    for number in range(9):
        server.put(str(number), at=10_000)
    with pytest.raises(ServerUnavailable, match="kept changing"):
        read(server)


@settings(max_examples=300)
@given(
    times=st.lists(st.integers(0, 5), min_size=0, max_size=40),
    changes=st.lists(st.lists(st.integers(0, 39), max_size=3), max_size=30),
    seed=st.integers(0, 5),
)
def test_nothing_is_lost_while_objects_change_during_the_reading(times, changes, seed):
    """Each object that changed before the reading ended is returned with the last change below read_to_ms."""
    steps = iter(changes)

    def between(server):
        for number in next(steps, ()):
            if str(number) in server.objects:
                server.put(str(number))

    server = Server(seed, between)
    for number, at in enumerate(times):
        server.put(str(number), at=9_990 + at)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(polls, "PAGE_SIZE", 4)
        pages = read(server)
    read_to = pages[-1].read_to_ms
    assert [page.read_to_ms for page in pages] == sorted(page.read_to_ms for page in pages)
    assert [page.last for page in pages] == [False] * (len(pages) - 1) + [True]
    seen = [(event.id, event.changed_ms) for page in pages for event in page.events]
    assert len(seen) == len(set(seen)), "each change once"
    for one in server.objects.values():
        if milliseconds(one["last_change"]) < read_to:
            assert (one["id"], milliseconds(one["last_change"])) in seen
    # every page's own promise: what is older was returned up to here
    for index, page in enumerate(pages):
        so_far = {event.id for earlier in pages[: index + 1] for event in earlier.events}
        later = {e.id for after in pages[index + 1 :] for e in after.events if e.changed_ms < page.read_to_ms}
        assert later <= so_far


ODD = [
    ({"last_change": None}, "last_change is None"),
    ({"last_change": 5}, "last_change is 5"),
    ({"last_change": "noon"}, "cannot be decoded"),
    ({"id": 7}, "id is 7"),
    ({"tags": "abc"}, "tags is 'abc'"),
    ({"system_tags": [1]}, r"system_tags is \[1\]"),
    ({"project": []}, r"project is \[\]"),
    ({"status": {}}, "status is {}"),
    ({"last_metrics": {"a": 1}}, "cannot be decoded"),
    ({"last_metrics": [1]}, "last_metrics is"),
]


@pytest.mark.parametrize(("odd", "words"), ODD)
def test_an_object_that_cannot_be_decoded_is_named_and_left_out(odd, words, caplog):
    server = Server()
    for name in "abc":
        server.put(name)
    page = [dict(one) for one in server.objects.values()]
    page[1] |= odd
    server.call = lambda endpoint, body: Answer({"tasks": page}, server.now)
    with caplog.at_level(logging.ERROR):
        assert ids(read(server)) == ["a", "c"]
    (record,) = caplog.records
    assert f"skipped object {odd.get('id', 'b')!r}: it" in record.getMessage()
    assert re.search(words, record.getMessage())


def test_a_full_page_without_a_readable_time_is_unavailable(small_pages):
    server = Server()
    server.call = lambda endpoint, body: Answer({"tasks": [{"id": str(n)} for n in range(4)]}, 1)
    with pytest.raises(ServerUnavailable, match="no object of a page has a readable last_change"):
        read(server)


@pytest.mark.parametrize("data", [{}, {"tasks": None}, {"tasks": {}}, {"tasks": ["x"]}])
def test_an_answer_of_another_shape_is_unavailable(data):
    server = Server()
    server.call = lambda endpoint, body: Answer(data, 1)
    with pytest.raises(ServerUnavailable, match=r"tasks\.get_all_ex: its answer has"):
        read(server)


def test_metrics_may_be_nan_and_are_read_only_when_watched():
    server = Server()
    key = metric_key("t", "v")
    title, variant = key.split(".")
    server.put("a", last_metrics={title: {variant: {"value": math.nan, "max_value": math.inf, "min_value": None}}})
    (event,) = read(server)[0].events
    metric = event.metrics[key]
    assert math.isnan(metric.value)
    assert (metric.max_value, metric.min_value) == (math.inf, None)


def test_read_models_reads_models():
    server = Server()
    server.put("m", ready=True, task={"id": "t"}, project={"id": "p", "name": "P"})
    (page,) = polls.read(server, polls.MODELS, 0)
    (event,) = page.events
    assert (event.kind, event.id, event.ready, event.task, event.project) == ("model", "m", True, "t", "P")
    assert server.queries[0][0] == "models.get_all_ex"


class OldServer(Server):
    """It ignores the filter on last_change, as servers before 1.17 do."""

    @staticmethod
    def matches(one, body):
        return True


@pytest.mark.parametrize("objects", [2, 9], ids=["one page", "full pages"])
def test_a_server_that_ignores_the_filter_by_time_ends_the_read_with_its_reason(small_pages, objects):
    server = OldServer()
    for number in range(objects):
        server.put(f"o{number}", at=5_000 + number)
    with pytest.raises(ServerUnavailable, match=r"asked for what changed since .*servers before 1\.17 ignore"):
        read(server, 5_001)
    assert len(server.queries) == 1


class Stubborn(Server):
    """It answers every page with the same objects, or hands out the same pages in turn."""

    def __init__(self, repeats):
        super().__init__()
        self.repeats = repeats

    def call(self, endpoint, body):
        return super().call(endpoint, body | {"page": body["page"] % self.repeats})


@pytest.mark.parametrize("repeats", [1, 2])
def test_pages_of_one_time_that_repeat_end(small_pages, repeats):
    server = Stubborn(repeats)
    for number in range(12):
        server.put(f"o{number}", at=5_000)
    found = {event.id for page in read(server, 5_000) for event in page.events}
    assert len(found) == 4 * repeats
    assert len(server.queries) < 30
