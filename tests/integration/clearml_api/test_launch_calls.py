"""The calls of a launch against the local ClearML server over HTTP."""

import threading

import pytest

from triggers.base.errors import Refused, ServerUnavailable
from triggers.clearml_api import launches
from triggers.clearml_api.names import find_projects
from triggers.model.launch_request import BASE_FIELDS, LaunchRequest

MISSING = "0" * 31 + "1"


@pytest.fixture
def queue(call):
    return call("queues.create", {"name": "work (a+b)"})["id"]


def draft(call, name="draft", **fields):
    return call("tasks.create", {"name": name, "type": "training", **fields})["id"]


def entries(call, queue):
    found = call("queues.get_all", {"id": [queue], "only_fields": ["entries.task"]})["queues"][0]
    return [entry["task"] for entry in found.get("entries", [])]


def marked(api, base, *marks):
    return launches.clone(api, LaunchRequest({"task": base, "new_task_system_tags": list(marks)}, None))


def by_age(call, ids):
    """The order in which they were created; of one millisecond, that of their ids."""
    tasks = call("tasks.get_all", {"id": ids, "only_fields": ["id", "created"]})["tasks"]
    return [task["id"] for task in sorted(tasks, key=lambda task: (task["created"], task["id"]))]


def test_a_clone_is_found_by_its_marks_whatever_becomes_of_it(api, call, queue):
    base = draft(call)
    first = marked(api, base, "mark:1", "nonce:a")
    second = marked(api, base, "mark:1", "nonce:b")
    third = marked(api, base, "-mark:2")
    call("tasks.enqueue", {"task": second, "queue": queue})
    call("tasks.archive_many", {"ids": [first]})
    found = launches.find_launches(api, ["mark:1", "-mark:2", "mark:3"])
    assert {one.id: one.status for one in found} == {first: "created", second: "queued", third: "created"}
    assert [one.id for one in found] == by_age(call, [first, second, third])
    assert {frozenset(one.system_tags) for one in found if one.id == first} == {
        frozenset({"archived", "mark:1", "nonce:a"})
    }
    assert launches.find_launches(api, []) == []
    assert launches.find_launches(api, ["mark"]) == []


@pytest.mark.sandbox_control
def test_find_launches_asks_for_a_hundred_marks_at_once_and_splits_a_full_answer(api, call, server, monkeypatch):
    base = draft(call)
    marks = [f"m{number}" for number in range(150)]
    ids = by_age(call, [marked(api, base, mark) for mark in marks[::10]])
    asked = server.control.counts()["tasks.get_all"]
    assert [one.id for one in launches.find_launches(api, marks)] == ids
    assert server.control.counts()["tasks.get_all"] == asked + 2
    monkeypatch.setattr(launches, "_PAGE_SIZE", 4)
    assert [one.id for one in launches.find_launches(api, marks)] == ids


def test_read_base_tasks_and_statuses_leave_missing_ids_out(api, call):
    base = draft(call, "base", tags=["x"], hyperparams={"Args": {"a": {"section": "Args", "name": "a", "value": "1"}}})
    assert launches.read_statuses(api, [base, MISSING, base]) == {base: "created"}
    (read,) = launches.read_base_tasks(api, [base, MISSING]).values()
    assert (read["name"], read["tags"], read["hyperparams"]["Args"]["a"]["value"]) == ("base", ["x"], "1")
    assert set(read) <= {name.partition(".")[0] for name in BASE_FIELDS}
    assert launches.read_statuses(api, []) == launches.read_base_tasks(api, []) == {}


def test_clone_of_a_missing_task_is_refused(api):
    with pytest.raises(Refused, match=r"tasks\.clone refused with 400/101"):
        marked(api, MISSING, "m")


@pytest.mark.sandbox_control
def test_a_clone_whose_answer_is_lost_was_made_once_and_is_found(api, call, server):
    base = draft(call)
    server.control.fault("drop", "tasks.clone", when="after")
    with pytest.raises(ServerUnavailable):
        marked(api, base, "lost")
    assert len(launches.find_launches(api, ["lost"])) == 1


def test_edit_draft_changes_drafts_only(api, call, queue):
    id_ = draft(call)
    launches.edit_draft(api, id_, {"comment": "hello"})
    assert call("tasks.get_by_id", {"task": id_})["task"]["comment"] == "hello"
    call("tasks.enqueue", {"task": id_, "queue": queue})
    with pytest.raises(Refused, match="400/110"):
        launches.edit_draft(api, id_, {"comment": "again"})


@pytest.mark.sandbox_control
def test_enqueue_of_one_is_one_call(api, call, queue, server):
    id_ = draft(call)
    assert launches.enqueue(api, [id_], queue) == {id_: None}
    assert entries(call, queue) == [id_]
    again = launches.enqueue(api, [id_], queue)[id_]
    assert (again.code, again.subcode) == (400, 706)
    assert server.control.counts()["tasks.enqueue"] == 2
    assert launches.enqueue(api, [], queue) == {}


@pytest.mark.sandbox_control
def test_enqueue_of_many_says_of_each_what_became_of_it(api, call, queue, server):
    good, other, ended = draft(call), draft(call), draft(call)
    call("tasks.started", {"task": ended})
    call("tasks.completed", {"task": ended})
    outcome = launches.enqueue(api, [good, MISSING, other, ended], queue)
    assert list(outcome) == [good, MISSING, other, ended]
    assert (outcome[good], outcome[other]) == (None, None)
    assert [(outcome[id_].code, outcome[id_].subcode) for id_ in (MISSING, ended)] == [(400, 101), (400, 110)]
    assert entries(call, queue) == [good, other]
    assert server.control.counts()["tasks.enqueue_many"] == 1


@pytest.mark.parametrize("number", [1, 2])
def test_enqueue_to_a_queue_that_is_gone_is_refused_for_each(api, call, number):
    ids = [draft(call) for _ in range(number)]
    assert {(why.code, why.subcode) for why in launches.enqueue(api, ids, MISSING).values()} == {(400, 701)}


def test_delete_draft_deletes_drafts_only(api, call, queue):
    id_, queued = draft(call), draft(call)
    call("tasks.enqueue", {"task": queued, "queue": queue})
    none = {"is_base_task": lambda _: False}
    assert launches.delete_draft(api, id_, **none) == "gone"
    assert launches.delete_draft(api, id_, **none) == "gone", "already gone"
    assert launches.delete_draft(api, queued, **none) == "launched"
    assert launches.read_statuses(api, [id_, queued]) == {queued: "queued"}


def test_find_queue_by_name_then_by_id_and_never_makes_one(api, call, queue):
    assert launches.find_queue(api, "work (a+b)") == queue
    assert launches.find_queue(api, queue) == queue
    for name in ("work", "work .*", "WORK (A+B)", "", MISSING):
        assert launches.find_queue(api, name) is None
    assert len(call("queues.get_all")["queues"]) == 2


def test_find_project_by_its_exact_name_hidden_or_not(api, call):
    hidden = call("projects.create", {"name": "Vision/.datasets/digits", "description": "", "system_tags": ["hidden"]})[
        "id"
    ]
    plain = call("projects.create", {"name": "a.b [c]", "description": ""})["id"]
    assert launches.find_project(api, "Vision/.datasets/digits") == hidden
    assert launches.find_project(api, "a.b [c]") == plain
    assert launches.find_project(api, "a.b") is None
    assert launches.find_project(api, "aXb [c]") is None


def test_find_many_projects_by_one_request_for_a_hundred(api, call, monkeypatch):
    names = ("a.b [c]", "x|yz", "zebra")
    made = {name: call("projects.create", {"name": name, "description": ""})["id"] for name in names}
    asked = []
    monkeypatch.setattr(api, "call", lambda *one, call=api.call: asked.append(one) or call(*one))
    wanted = ["a.b", "aXb [c]", "", *made, *(f"none {n}" for n in range(120))]
    assert find_projects(api, wanted) == made
    assert len(asked) == 2
    assert find_projects(api, []) == {}
    assert len(asked) == 2


def test_find_project_makes_a_missing_one_once(api, call):
    ready, made = threading.Barrier(6), []

    def work():
        ready.wait()
        made.append(launches.find_project(api, "new/one", create=True))

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(made)) == 1
    assert launches.find_project(api, "new/one") == made[0]
