"""The control address: log and counts, clock, late visibility, reset."""

import time
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import pytest
import requests

from tests.hidden_writes import HiddenWrites
from triggers.sandbox import CallFailed, Client


def make(client: Client, name: str = "task") -> str:
    return client.call("tasks.create", {"name": name, "type": "training"})["id"]


def created(client: Client, task: str) -> float:
    found = client.call("tasks.get_by_id", {"task": task})["task"]["created"]
    return datetime.fromisoformat(found).timestamp()


def test_log_says_who_called_what_and_what_came_of_it(sandbox, client, control):
    make(client)
    with pytest.raises(CallFailed):
        client.call("tasks.get_by_id", {"task": "missing"})
    with pytest.raises(CallFailed):
        client.call("tasks.no_such_call")
    first, second, third = control.requests()
    assert (first["endpoint"], first["caller"], first["status"], first["known"]) == ("tasks.create", "me", 200, True)
    assert (second["status"], second["subcode"]) == (400, 101)
    assert (third["status"], third["known"]) == (404, False)
    assert second["received"] == len(b'{"task": "missing"}')
    assert second["sent"] > 100
    assert control.requests(after=second["number"]) == [third]
    assert control.counts() == {"tasks.create": 1, "tasks.get_by_id": 1, "tasks.no_such_call": 1}


def test_counts_are_kept_by_caller(sandbox, client, control):
    make(client)
    with Client(sandbox.url, sandbox.access_key, sandbox.secret_key, name="other") as other:
        make(other)
        make(other)
    assert control.counts("other") == {"tasks.create": 2}
    assert control.callers() == {"me": {"tasks.create": 1}, "other": {"tasks.create": 2}}
    assert control.counts("nobody") == {}


def test_reset_makes_an_empty_server_and_keeps_keys(client, control):
    make(client)
    control.fault("error")
    control.clock(offset_seconds=-100)
    control.reset()
    assert client.call("tasks.get_all") == {"tasks": []}
    assert control.faults() == []
    assert control.clock()["offset_seconds"] == 0
    assert [queue["name"] for queue in client.call("queues.get_all")["queues"]] == ["default"]


def test_clock_that_is_set_back_makes_earlier_changes(client, control):
    before = make(client)
    control.clock(offset_seconds=-3600)
    after = make(client)
    assert created(client, before) - 3601 < created(client, after) < created(client, before) - 3000
    ordered = client.call("tasks.get_all", {"order_by": ["last_change"], "only_fields": ["id"]})["tasks"]
    assert [task["id"] for task in ordered] == [after, before]


def test_date_header_is_that_of_the_clock(sandbox, control):
    control.clock(offset_seconds=3600)
    date = requests.get(f"{sandbox.url}/debug.ping", timeout=60).headers["Date"]
    ahead = parsedate_to_datetime(date) - datetime.now(UTC)
    assert 3000 < ahead.total_seconds() < 4200


def test_date_header_may_have_a_clock_of_its_own(sandbox, client, control):
    control.clock(date_offset_seconds=-3600)
    date = requests.get(f"{sandbox.url}/debug.ping", timeout=60).headers["Date"]
    behind = datetime.now(UTC) - parsedate_to_datetime(date)
    assert 3000 < behind.total_seconds() < 4200
    assert abs(created(client, make(client)) - datetime.now(UTC).timestamp()) < 600
    control.reset()
    assert control.clock()["date_offset_seconds"] == 0


def test_replicas_have_clocks_of_their_own(client, control):
    control.clock(replicas=[0, 1000])
    tasks = [make(client, f"task {i}") for i in range(4)]
    times = sorted(created(client, task) for task in tasks)
    assert times[1] - times[0] < 100 < times[2] - times[1]


def test_replicas_may_stay_with_their_callers(sandbox, control):
    control.clock(replicas=[0, 1000], by="caller")
    now = time.time()
    for name, index in (("a", 97 % 2), ("b", 98 % 2)):
        with Client(sandbox.url, sandbox.access_key, sandbox.secret_key, name=name) as caller:
            for _ in range(3):
                assert abs(created(caller, make(caller)) - now - 1000 * index) < 100


@pytest.fixture
def hidden(monkeypatch) -> HiddenWrites:
    return HiddenWrites(monkeypatch)


def names(client: Client, **body) -> list[str]:
    return sorted(task["name"] for task in client.call("tasks.get_all", body)["tasks"])


def test_writes_become_visible_late_to_lists(client, control, hidden):
    task = make(client, "first")
    control.late(0.4)
    make(client, "second")
    client.call("tasks.edit", {"task": task, "name": "renamed"})
    assert names(client) == ["first"]
    assert names(client, name="renamed") == []
    assert client.call("tasks.get_by_id", {"task": task})["task"]["name"] == "renamed"
    hidden.show(0.45)
    assert names(client) == ["renamed", "second"]


def test_late_writes_keep_the_time_of_the_change(client, control, hidden):
    task = make(client, "first")
    control.late(0.3)
    answer = client.call("tasks.edit", {"task": task, "name": "renamed"})
    changed = answer["fields"]["last_change"][:23]
    hidden.show(0.35)
    found = client.call("tasks.get_all", {"last_change": [f">={changed}"]})["tasks"]
    assert [one["last_change"][:23] for one in found] == [changed]


def test_deleted_tasks_stay_visible_for_a_while(client, control, hidden):
    task = make(client, "first")
    control.late(0.3)
    client.call("tasks.delete", {"task": task})
    assert names(client) == ["first"]
    hidden.show(0.35)
    assert names(client) == []


def test_unknown_control_requests_are_refused(sandbox, control):
    assert requests.get(f"{sandbox.url}/_sandbox/nope", timeout=60).status_code == 404
    with pytest.raises(ValueError, match="call or caller"):
        control.clock(by="moon")


def test_status_changes_are_listed_in_the_order_in_which_they_took_effect(client, control):
    first, second = make(client), make(client)
    client.call("tasks.started", {"task": second})
    with pytest.raises(CallFailed):
        client.call("tasks.publish", {"task": second})
    control.fault("drop", "tasks.failed", when="after")
    with pytest.raises(requests.ConnectionError):
        client.call("tasks.failed", {"task": second})
    client.call("tasks.update_tags", {"ids": [first], "add_tags": ["no step"]})
    client.call("tasks.delete", {"task": first})
    changes = [(change["task"], change["status"]) for change in control.status_changes()]
    assert changes == [
        (first, "created"),
        (second, "created"),
        (second, "in_progress"),
        (second, "failed"),
        (first, None),
    ]
    assert control.status_changes(after=3) == control.status_changes()[3:]
