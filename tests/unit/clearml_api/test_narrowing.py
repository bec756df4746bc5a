"""When polls narrow, what they then ask for, and that names of projects are looked up after what was read by them."""

import pytest

from tests.property.policies.busy_server import BusyServer
from triggers import sources
from triggers.actions.clearml_task import TaskAction
from triggers.clearml_api import narrowing, polls
from triggers.clearml_api.narrowing import FEW, NARROWED_POLLS, Narrowing
from triggers.model import make_trigger
from triggers.model.events import milliseconds
from triggers.rules.query_plan import MOST_TEXT, queries

TASKS = polls.tasks()
WATCHED = {"trigger_project": "Watched"}


def trigger(kind="task", **fields):
    return make_trigger(kind, name="t", action=TaskAction(base_task_id="b", queue="q"), **fields)


def plan_of(*triggers):
    return queries(triggers)


def server_with(busy, watched=1):
    server = BusyServer()
    server.name("w", "Watched")
    server.name("o", "Other")
    for number in range(busy):
        server.change(f"o{number}", project="o")
    for number in range(watched):
        server.change(f"w{number}", project="w")
    return server


def read(server, plan, memory=None, since_ms=0, listing=TASKS, fresh_ms=0):
    memory = Narrowing() if memory is None else memory
    return list(narrowing.read(server, listing, plan, since_ms, memory, fresh_ms=fresh_ms))


def ids(pages):
    return [event.id for page in pages for event in page.events]


def test_few_changes_are_one_request_without_a_filter():
    server = server_with(FEW - 2)
    memory = Narrowing()
    assert len(ids(read(server, plan_of(trigger(**WATCHED)), memory))) == FEW - 1
    ((endpoint, body, _),) = server.calls
    assert endpoint == "tasks.get_all_ex"
    assert "project" not in body
    assert memory == Narrowing()


def test_many_changes_are_read_narrowed_from_where_the_first_page_ended_and_by_the_next_polls():
    server, memory, plan = server_with(FEW, watched=2), Narrowing(), plan_of(trigger(**WATCHED))
    pages = read(server, plan, memory)
    assert len(ids(pages)) == FEW + 2
    assert server.asked() == ["tasks", "projects", "tasks", "projects"]
    for _ in range(NARROWED_POLLS):
        assert ids(read(server, plan, memory)) == ["w0", "w1"]
        assert server.asked() == ["tasks", "projects"]
    read(server, plan, memory)
    assert server.asked()[:2] == ["tasks", "tasks"], "whether it still is busy"


def test_what_changed_before_says_nothing_of_now():
    """An overlap read or a sweep goes far back; the polls after it do not narrow for that."""
    server, memory, plan = server_with(FEW), Narrowing(), plan_of(trigger(**WATCHED))
    read(server, plan, memory, fresh_ms=server.now_ms)
    assert server.asked() == ["tasks", "projects", "tasks", "projects"]
    read(server, plan, memory, since_ms=server.now_ms)
    assert server.asked() == ["tasks"]


def test_without_queries_everything_is_read():
    server = server_with(2 * FEW)
    assert len(ids(read(server, plan_of(trigger(**WATCHED), trigger(trigger_name="x"))))) == 2 * FEW + 1
    assert server.asked() == ["tasks"]


def test_no_project_of_that_name_asks_for_nothing_and_not_for_everything():
    server = server_with(2 * FEW)
    pages = read(server, plan_of(trigger(trigger_project="Later")), Narrowing(polls=1))
    assert ids(pages) == []
    assert pages[-1].last
    assert pages[-1].read_to_ms == server.now_ms - 1


@pytest.mark.parametrize("guess", [None, frozenset(), frozenset({"o"}), frozenset({"gone"})])
def test_whatever_was_guessed_the_projects_are_those_of_that_name_now(guess):
    server, memory = server_with(3, watched=2), Narrowing(1, guess)
    assert [id_ for id_ in ids(read(server, plan_of(trigger(**WATCHED)), memory)) if id_ < "o" or id_ > "p"] == [
        "w0",
        "w1",
    ]
    assert memory.projects == {"w"}


def test_a_project_that_gets_its_name_while_it_is_read_is_read_again():
    server, plan = server_with(3), plan_of(trigger(**WATCHED))
    memory = Narrowing(1, frozenset({"w"}))
    server.between = lambda: server.name("o", "Watched") if server.calls else None
    assert sorted(ids(read(server, plan, memory))) == ["o0", "o1", "o2", "w0"]
    assert server.asked() == ["tasks", "projects", "tasks", "projects"]


def test_pages_that_are_read_again_begin_with_the_time_that_was_reached(monkeypatch):
    """Objects of one time may lie on both sides of the page before."""
    monkeypatch.setattr(polls, "PAGE_SIZE", 3)
    monkeypatch.setattr(narrowing, "_PAGES_AT_ONCE", 1)
    server, plan = server_with(0, watched=2), plan_of(trigger(**WATCHED))
    for number in range(2, 5):
        server.change(f"w{number}", project="w", at_ms=server.now_ms)
    server.between = lambda: server.name("o", "Watched") if len(server.calls) == 2 else None
    assert set(ids(read(server, plan, Narrowing(1, frozenset({"w"}))))) == {f"w{number}" for number in range(5)}


def test_too_many_projects_are_left_open(monkeypatch):
    monkeypatch.setattr(polls, "PAGE_SIZE", 4)
    server, plan = server_with(2, watched=2), plan_of(trigger("dataset", **WATCHED))
    for number in range(4):
        server.name(f"d{number}", f"Watched/.datasets/{number}")
    server.change("d", project="d1", system_tags=["dataset"], status="completed")
    assert ids(read(server, plan, Narrowing(1))) == ["d"]
    body = server.calls[-1][1]
    assert body["system_tags"] == ["dataset"]
    assert "project" not in body


def test_expressions_that_are_too_long_for_a_server_are_left_out():
    names = ["x" * 100 + str(number) for number in range(MOST_TEXT // 100)]
    assert queries([trigger(trigger_project=name) for name in names]) == ()
    failed = [trigger(trigger_project=name, trigger_on_status=["failed"]) for name in names]
    assert queries(failed) == ({"status": frozenset({"failed"})},)


def test_a_mix_is_one_query_for_each_kind_of_demand_and_the_cursor_goes_where_all_were_read():
    server = server_with(5)
    server.change("published", project="o", status="published")
    server.change("tagged", project="o", tags=["x"])
    plan = plan_of(trigger(**WATCHED), trigger(trigger_on_status=["published"]), trigger(trigger_on_tags=["x"]))
    began_ms, steps = server.now_ms, iter(range(100))
    server.between = lambda: server.change(f"later{next(steps)}", project="o", status="published")
    pages = read(server, plan, Narrowing(1, frozenset({"w"})))
    assert server.asked() == ["tasks", "tasks", "tasks", "projects"]
    assert set(ids(pages)) == {"w0", "tagged", "published", "later0"}
    assert [page.last for page in pages] == [False, False, True]
    assert began_ms <= pages[-1].read_to_ms <= milliseconds(server.objects["tasks"]["later1"]["last_change"])
    assert pages[-1].server_ms == pages[-1].read_to_ms


def test_models_are_narrowed_by_what_model_triggers_require():
    source, both = sources.named("models"), [trigger("model", trigger_on_publish=True, **WATCHED), trigger()]
    server, plan = server_with(0), plan_of(*sources.triggers_of(source, both))
    for number in range(FEW):
        server.change(f"m{number}", "models", project="w", ready=False)
    server.change("ready", "models", project="w", ready=True)
    server.change("elsewhere", "models", project="o", ready=True)
    assert ids(read(server, plan, Narrowing(1), listing=polls.MODELS)) == ["ready"]
