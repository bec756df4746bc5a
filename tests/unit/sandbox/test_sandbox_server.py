"""The server as a whole: many connections at once, files, start and stop, the command."""

import os
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from triggers.sandbox import CallFailed, Client, Control, Sandbox, running_env

CONNECTIONS = 64


def at_once(sandbox: Sandbox, number: int, work) -> list:
    """Run `work(client, index)` on so many connections at the same moment; None where it was refused."""
    barrier = threading.Barrier(number)

    def one(index: int):
        with Client(sandbox.url, sandbox.access_key, sandbox.secret_key, name=f"caller {index}") as client:
            client.call("server.info")
            barrier.wait(60)
            try:
                return work(client, index)
            except CallFailed:
                return None

    with ThreadPoolExecutor(number) as pool:
        return list(pool.map(one, range(number)))


def test_of_many_enqueues_of_one_draft_exactly_one_wins(sandbox, client, draft):
    queue = client.call("queues.create", {"name": "queue"})["id"]
    answers = at_once(sandbox, CONNECTIONS, lambda one, _: one.call("tasks.enqueue", {"task": draft, "queue": queue}))
    assert sum(answer is not None for answer in answers) == 1
    assert client.call("queues.get_num_entries", {"queue": queue}) == {"num": 1}


def test_of_a_delete_and_an_enqueue_at_once_exactly_one_wins(sandbox, client):
    queue = client.call("queues.create", {"name": "queue"})["id"]
    for _ in range(10):
        task = client.call("tasks.create", {"name": "draft", "type": "training"})["id"]
        calls = [("tasks.enqueue", {"task": task, "queue": queue}), ("tasks.delete", {"task": task})]
        answers = at_once(sandbox, 2, lambda one, index, calls=calls: one.call(*calls[index]))
        assert sum(answer is not None for answer in answers) == 1


def test_consumers_of_a_queue_never_get_one_task_twice(sandbox, client):
    queue = client.call("queues.create", {"name": "queue"})["id"]
    tasks = [client.call("tasks.create", {"name": "work", "type": "training"})["id"] for _ in range(200)]
    client.call("tasks.enqueue_many", {"ids": tasks, "queue": queue})

    def consume(one: Client, _: int) -> list[str]:
        got = []
        while entry := one.call("queues.get_next_task", {"queue": queue}):
            got.append(entry["entry"]["task"])
        return got

    fetched = [task for got in at_once(sandbox, 16, consume) for task in got]
    assert sorted(fetched) == sorted(tasks)


def test_edits_at_once_all_survive(sandbox, client, draft):
    def edit(one: Client, index: int) -> None:
        one.call("tasks.edit_runtime", {"task": draft, "add_or_update": {f"k{index}": "v"}})
        one.call("tasks.update_tags", {"ids": [draft], "add_tags": [f"t{index}"]})

    at_once(sandbox, CONNECTIONS, edit)
    task = client.call("tasks.get_by_id", {"task": draft})["task"]
    assert (len(task["runtime"]), len(task["tags"])) == (CONNECTIONS, CONNECTIONS)


def test_names_are_given_once(sandbox):
    answers = at_once(sandbox, 16, lambda one, _: one.call("queues.create", {"name": "one name"}))
    assert sum(answer is not None for answer in answers) == 1


def test_files_come_back_as_they_were_sent(sandbox):
    path, content = "a/first run.1/artifacts/ż.bin", bytes(range(256)) * 100
    sent = requests.post(sandbox.url + "/", files={path: ("name", content)}, timeout=60)
    assert sent.json() == [path]
    assert requests.get(f"{sandbox.url}/{path}", timeout=60).content == content
    assert requests.head(f"{sandbox.url}/{path}", timeout=60).headers["Content-Length"] == str(len(content))
    assert requests.delete(f"{sandbox.url}/{path}", timeout=60).status_code == 200
    assert requests.get(f"{sandbox.url}/{path}", timeout=60).status_code == 404


def test_at_most_500_objects_come_at_once(client):
    for index in range(510):
        client.call("tasks.create", {"name": f"task {index}", "type": "training"})
    for body in ({}, {"page_size": 5000}, {"page": 0, "page_size": 501}):
        assert len(client.call("tasks.get_all", {**body, "only_fields": ["id"]})["tasks"]) == 500
    assert len(client.call("tasks.get_all_ex", {"page": 1, "only_fields": ["id"]})["tasks"]) == 10


def test_two_servers_know_nothing_of_each_other():
    with Sandbox() as one, Sandbox() as two:
        one.client().call("tasks.create", {"name": "in one", "type": "training"})
        assert two.client().call("tasks.get_all") == {"tasks": []}
        with pytest.raises(CallFailed, match="401/22"):
            Client(two.url, one.access_key, one.secret_key).call("server.info")
        address = one.url
    assert running_env(address) is None


def test_a_taken_port_is_an_error(sandbox):
    with pytest.raises(OSError, match="in use"):
        Sandbox(sandbox.port).start()


def test_command_serves_until_it_is_ended(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    keys = {"CLEARML_API_ACCESS_KEY": "K", "CLEARML_API_SECRET_KEY": "S"}
    code = "import typer; from triggers.cli.sandbox import sandbox; typer.run(sandbox)"
    command = [sys.executable, "-c", code, "--port", "0", "--access-key", "K", "--secret-key", "S", "--env"]
    environment = {key: value for key, value in os.environ.items() if not key.startswith("COVERAGE")}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment, cwd=tmp_path) as process:
        assert process.stdout
        lines = [process.stdout.readline().strip() for _ in range(5)]
        env = dict(line.removeprefix("export ").split("=", 1) for line in lines)
        assert keys.items() <= env.items()
        with Client(env["CLEARML_API_HOST"], "K", "S") as client:
            assert client.call("debug.ping") == {"msg": "ClearML server"}
        assert running_env(env["CLEARML_API_HOST"]) == env
        control = Control(env["CLEARML_API_HOST"])
        assert control.counts() == {"debug.ping": 1}
        control.close()
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0


def test_sdk_gets_a_new_connection_for_every_call(sandbox):
    """It forks with open connections; others keep theirs."""

    def connection(client: str) -> str | None:
        headers = {"X-ClearML-Client": client}
        return requests.get(f"{sandbox.url}/debug.ping", headers=headers, timeout=60).headers.get("Connection")

    assert connection("clearml-2.1.12") == "close"
    assert connection("clearml-server-2.3.0, clearml-2.1.12") == "close"
    assert connection("clearml-triggers") is None


def test_names_with_dots_are_asked_for_escaped(client):
    """Not recorded: requests spell the dot as runtime keys come back with it."""
    item = {"section": "Args", "name": "has.dot", "value": "v"}
    body = {"name": "dots", "type": "training", "hyperparams": {"Args": {"has.dot": item}}}
    client.call("tasks.create", body)
    [task] = client.call("tasks.get_all", {"only_fields": ["hyperparams.Args.has%2Edot.value"]})["tasks"]
    assert task == {"hyperparams": {"Args": {"has.dot": {"value": "v"}}}}
