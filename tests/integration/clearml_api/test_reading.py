"""Polls against the local ClearML server over HTTP."""

import math
import threading
import time

import pytest

from triggers.base.errors import ServerUnavailable
from triggers.clearml_api import identity, polls, server_now_ms
from triggers.model.events import metric_key, milliseconds

TASKS = polls.tasks()


def task(call, name="task", **fields):
    return call("tasks.create", {"name": name, "type": "training", **fields})["id"]


def changed_ms(call, id_):
    found = call("tasks.get_all", {"id": [id_], "only_fields": ["last_change"]})
    return milliseconds(found["tasks"][0]["last_change"])


def events(pages):
    return [event for page in pages for event in page.events]


def test_read_tasks_reads_what_conditions_need(api, call):
    project = call("projects.create", {"name": "Vision/Nets", "description": ""})["id"]
    id_ = task(call, "one", project=project, tags=["b", "a"], system_tags=["dataset"])
    call("tasks.started", {"task": id_})
    call(
        "events.add",
        {"type": "training_stats_scalar", "task": id_, "iter": 1, "metric": "acc", "variant": "val", "value": 0.5},
    )
    call("tasks.failed", {"task": id_})
    key = metric_key("acc", "val")
    listing = polls.tasks({key, metric_key("no", "such")})
    (page,) = polls.read(api, listing, 0)
    (event,) = page.events
    assert page.last
    assert (event.kind, event.id, event.name, event.project) == ("dataset", id_, "one", "Vision/Nets")
    assert (event.tags, event.system_tags, event.status) == (("a", "b"), ("dataset",), "failed")
    assert (event.type, event.changed_ms) == ("training", changed_ms(call, id_))
    assert [event.metrics[key].value, event.metrics[key].max_value] == [0.5, 0.5]


def test_read_tasks_takes_metrics_that_are_no_numbers(api, call):
    id_ = task(call)
    client_event = {"type": "training_stats_scalar", "task": id_, "iter": 1, "metric": "m", "variant": "v"}
    call("tasks.started", {"task": id_})
    api.call("events.add", {**client_event, "value": math.nan})
    key = metric_key("m", "v")
    (page,) = polls.read(api, polls.tasks({key}), 0)
    assert math.isnan(page.events[0].metrics[key].value)


def test_read_tasks_begins_at_its_time_and_sees_hidden_projects(api, call):
    hidden = call("projects.create", {"name": "Vision/.datasets/digits", "description": "", "system_tags": ["hidden"]})[
        "id"
    ]
    old = task(call, "old")
    while (new_ms := changed_ms(call, task(call, "new", project=hidden))) == changed_ms(call, old):
        pass
    found = events(polls.read(api, TASKS, new_ms))
    assert old not in [event.id for event in found]
    assert found[0].project == "Vision/.datasets/digits"


@pytest.mark.sandbox_control
def test_an_idle_poll_is_one_request_per_kind_of_object(api, call, server):
    task(call)
    now_ms = server_now_ms(api)
    time.sleep(0.01)
    before = server.control.counts()
    list(polls.read(api, TASKS, now_ms + 60_000))
    list(polls.read(api, polls.MODELS, now_ms + 60_000))
    after = server.control.counts()
    made = {name: after[name] - before.get(name, 0) for name in after if after[name] != before.get(name, 0)}
    assert made == {"tasks.get_all_ex": 1, "models.get_all_ex": 1}


def test_more_tasks_than_a_page_with_one_time_are_all_read(api, call, monkeypatch):
    monkeypatch.setattr(polls, "PAGE_SIZE", 10)
    ids = [task(call, f"task {number}") for number in range(35)]
    call("tasks.archive_many", {"ids": ids})  # stamps them alike, or nearly so
    assert len({changed_ms(call, id_) for id_ in ids}) < 10
    found = events(polls.read(api, TASKS, 0))
    assert sorted(event.id for event in found) == sorted(ids)


def test_nothing_is_missed_while_tasks_change(api, server, call, monkeypatch):
    """Polls go on from read_to_ms while another user changes tasks; at the end each last change was seen."""
    monkeypatch.setattr(polls, "PAGE_SIZE", 7)
    ids = [task(call, f"task {number}") for number in range(40)]
    stop = threading.Event()

    def change():
        with server.client("changer") as client:
            number = 0
            while not stop.is_set():
                client.call("tasks.update", {"task": ids[number % len(ids)], "comment": str(number)})
                number += 7

    thread = threading.Thread(target=change)
    thread.start()
    seen, read_to = set(), 0
    for _ in range(15):
        for page in polls.read(api, TASKS, read_to):
            seen.update((event.id, event.changed_ms) for event in page.events)
            read_to = page.read_to_ms
            if len(seen) > 3000:
                break
    stop.set()
    thread.join()
    seen.update((event.id, event.changed_ms) for event in events(polls.read(api, TASKS, read_to)))
    assert {(id_, changed_ms(call, id_)) for id_ in ids} <= seen


def test_read_models_and_those_that_a_task_published(api, call):
    id_ = task(call)
    call("tasks.started", {"task": id_})
    model = call("models.create", {"name": "net", "uri": "file:///m", "task": id_, "ready": False, "tags": ["x"]})["id"]
    other = call("models.create", {"name": "other", "uri": "file:///o", "task": id_, "ready": False})["id"]
    call("tasks.add_or_update_model", {"task": id_, "name": "out", "type": "output", "model": model})
    found = {event.id: event for event in events(polls.read(api, polls.MODELS, 0))}
    assert set(found) == {model, other}
    assert (found[model].kind, found[model].task, found[model].ready, found[model].tags) == (
        "model",
        id_,
        False,
        ("x",),
    )
    call("tasks.completed", {"task": id_})
    time.sleep(0.01)
    call("tasks.publish", {"task": id_, "publish_model": True})
    published_ms = changed_ms(call, id_)
    (event,) = events(polls.read(api, polls.MODELS, published_ms))
    assert (event.id, event.ready, event.changed_ms) == (model, True, published_ms)


@pytest.mark.sandbox_control
def test_a_broken_connection_is_replaced_once_and_an_error_is_raised(api, server, call):
    id_ = task(call)
    server.control.fault("drop", "tasks.get_all_ex", times=1, when="after")
    assert [event.id for event in events(polls.read(api, TASKS, 0))] == [id_]
    for kind in ("error", "html", "malformed"):
        server.control.clear_faults()
        server.control.fault(kind, "tasks.get_all_ex")
        with pytest.raises(ServerUnavailable, match=r"tasks\.get_all_ex at 127"):
            list(polls.read(api, TASKS, 0))


@pytest.mark.sandbox_control
def test_an_expired_token_is_renewed(api, server, call):
    list(polls.read(api, TASKS, 0))
    server.control.expire_tokens()
    list(polls.read(api, TASKS, 0))
    assert server.control.counts()["auth.login"] == 2


@pytest.mark.sandbox_control
def test_server_now_is_never_late_and_exact_with_a_task(api, server, call):
    server.control.clock(offset_seconds=-3600)
    id_ = task(call)
    early = server_now_ms(api)
    exact = server_now_ms(api, id_)
    changed = changed_ms(call, task(call, "next"))
    assert changed - 3_000 < early < changed
    assert changed - 1_000 < exact <= changed
    assert server_now_ms(api, "0" * 32) < changed, "a task that is gone"


def test_identity_is_the_workspace(api, call):
    assert identity(api) == call("users.get_current_user")["user"]["company"]["id"]
