"""What faults do to calls: what the client sees, whether the call took effect, what the log says."""

import threading
import time

import pytest
import requests

from tests.eventually import eventually
from triggers.sandbox import CallFailed, Client, Control, Sandbox


def status(client: Client, task: str) -> str:
    return client.call("tasks.get_by_id", {"task": task})["task"]["status"]


@pytest.mark.parametrize(("when", "effect"), [("before", "created"), ("after", "in_progress")])
@pytest.mark.parametrize("code", [500, 503])
def test_error_comes_before_or_after_the_call_took_effect(client, control, draft, when, effect, code):
    control.fault("error", "tasks.started", status=code, when=when, times=1)
    with pytest.raises(CallFailed, match=str(code)):
        client.call("tasks.started", {"task": draft})
    assert status(client, draft) == effect
    assert control.requests(endpoint="tasks.started")[0]["status"] == code


@pytest.mark.parametrize(("when", "effect"), [("before", "created"), ("after", "in_progress")])
def test_connection_closes_before_or_after_the_call_took_effect(client, control, draft, when, effect):
    control.fault("drop", "tasks.started", when=when, times=1)
    with pytest.raises(requests.ConnectionError):
        client.call("tasks.started", {"task": draft})
    assert status(client, draft) == effect
    logged = control.requests(endpoint="tasks.started")[0]
    assert (logged["status"], logged["faults"]) == (0, ["drop"])


def test_malformed_body_is_that_of_a_call_that_took_effect(client, control, draft):
    control.fault("malformed", "tasks.started", times=1)
    with pytest.raises(requests.JSONDecodeError):
        client.call("tasks.started", {"task": draft})
    assert status(client, draft) == "in_progress"


def test_proxy_page_is_no_json(client, control, draft):
    control.fault("html", "tasks.started", times=1)
    with pytest.raises(requests.JSONDecodeError):
        client.call("tasks.started", {"task": draft})
    assert status(client, draft) == "created"


def test_delay_holds_up_the_call(client, control):
    control.fault("delay", "server.info", seconds=0.15)
    began = time.monotonic()
    client.call("server.info")
    assert time.monotonic() - began >= 0.15


def test_expired_token_is_refused_until_the_fault_is_used_up(client, control):
    control.fault("expired", "tasks.get_all", times=1)
    with pytest.raises(CallFailed, match="401/30"):
        client.call("tasks.get_all")
    assert client.call("tasks.get_all") == {"tasks": []}


def test_tokens_that_were_expired_make_place_for_new_ones(sandbox: Sandbox, client, control):
    def ask(token):
        headers = {"Authorization": f"Bearer {token}"}
        return requests.post(f"{sandbox.url}/server.info", headers=headers, timeout=60).status_code

    old = client.call("auth.login")["token"]
    assert ask(old) == 200
    control.expire_tokens()
    assert (ask(old), ask(client.call("auth.login")["token"])) == (401, 200)


def test_fraction_and_seed_say_which_calls_are_hit(client, control):
    def hits(seed):
        control.clear_faults()
        control.fault("error", "server.info", fraction=0.5, seed=seed)
        found = []
        for _ in range(40):
            try:
                client.call("server.info")
                found.append(False)
            except CallFailed:
                found.append(True)
        return found

    first = hits(1)
    assert first == hits(1) != hits(2)
    assert 10 < sum(first) < 30


def test_faults_hit_only_the_calls_and_callers_they_name(sandbox, client, control):
    control.fault("error", "tasks.*", caller="other*")
    assert client.call("tasks.get_all") == {"tasks": []}
    with Client(sandbox.url, sandbox.access_key, sandbox.secret_key, name="other 1") as other:
        other.call("server.info")
        with pytest.raises(CallFailed):
            other.call("tasks.get_all")


def test_unknown_kinds_of_faults_are_refused(control: Control):
    with pytest.raises(ValueError, match="nonsense"):
        control.fault("nonsense")
    with pytest.raises(ValueError, match="colour"):
        control.fault("error", colour="red")


def test_a_caller_is_held_between_two_calls_until_released(sandbox, client, control, draft):
    queue = client.call("queues.create", {"name": "queue"})["id"]
    fault = control.fault("hold", "tasks.enqueue", after_call="tasks.clone", caller="worker")
    client.call("tasks.enqueue", {"task": draft, "queue": queue})  # another caller is not held

    def clone_and_enqueue():
        with Client(sandbox.url, sandbox.access_key, sandbox.secret_key, name="worker") as worker:
            made = worker.call("tasks.clone", {"task": draft})["id"]
            worker.call("tasks.enqueue", {"task": made, "queue": queue})

    thread = threading.Thread(target=clone_and_enqueue)
    thread.start()
    eventually(lambda: control.held(fault) == 1)
    assert client.call("queues.get_num_entries", {"queue": queue}) == {"num": 1}
    assert control.release(fault) == 1
    thread.join(60)
    assert client.call("queues.get_num_entries", {"queue": queue}) == {"num": 2}


def test_calls_held_after_they_took_effect_are_seen_by_others(sandbox, client, control, draft):
    fault = control.fault("hold", "tasks.started", when="after")
    with Client(sandbox.url, sandbox.access_key, sandbox.secret_key, name="other") as other:
        thread = threading.Thread(target=other.call, args=("tasks.started", {"task": draft}))
        thread.start()
        eventually(lambda: control.held(fault) == 1)
        assert status(client, draft) == "in_progress"
        control.clear_faults(fault)  # releases it, too
        thread.join(60)
        assert not thread.is_alive()


def test_held_calls_go_on_one_by_one(sandbox, client, control):
    fault = control.fault("hold", "server.info")
    clients = [sandbox.client(f"caller {i}") for i in range(3)]
    threads = [threading.Thread(target=one.call, args=("server.info",)) for one in clients]
    for thread in threads:
        thread.start()
    eventually(lambda: control.held(fault) == 3)
    assert control.release(fault, 1) == 1
    eventually(lambda: sum(thread.is_alive() for thread in threads) == 2)
    assert control.release(fault) == 2
    for thread in threads:
        thread.join(60)
    client.call("server.info")  # it holds no more
