"""Simulated agents: what becomes of tasks in a queue, and the count of their runs."""

import pytest

from tests.eventually import eventually


def wait_for(client, task: str, *wanted: str) -> str:
    def status() -> str:
        found = client.call("tasks.get_all", {"id": [task], "only_fields": ["status"]})["tasks"]
        now = found[0]["status"] if found else "gone"
        return now if now in wanted else ""

    return eventually(status, f"{task} is {' or '.join(wanted)}")


@pytest.fixture
def enqueued(client):
    def make(name: str = "work", queue: str = "work") -> str:
        task = client.call("tasks.create", {"name": name, "type": "training"})["id"]
        client.call("tasks.enqueue", {"task": task, "queue_name": queue})
        return task

    return make


@pytest.mark.parametrize(
    ("outcome", "status"),
    [("complete", "completed"), ("fail", "failed"), ("abort", "stopped"), ("delete", "gone"), ("run", "in_progress")],
)
def test_tasks_end_as_the_agent_is_asked(sandbox, client, enqueued, outcome, status):
    task = enqueued()
    sandbox.agent("work", outcome, run_seconds=0.05)
    wait_for(client, task, status)
    assert [run["task"] for run in sandbox.control.run_starts()] == [task]


def test_outcomes_are_taken_in_turn(sandbox, client, enqueued):
    tasks = [enqueued(f"task {i}") for i in range(4)]
    sandbox.agent("work", ["complete", "fail"])
    found = [wait_for(client, task, "completed", "failed") for task in tasks]
    assert found == ["completed", "failed", "completed", "failed"]


def test_runs_are_counted_for_every_start(sandbox, client, enqueued, control):
    sandbox.agent("work", "fail")
    task = enqueued()
    wait_for(client, task, "failed")
    client.call("tasks.enqueue", {"task": task, "queue_name": "work"})
    eventually(lambda: len(control.run_starts()) > 1)
    assert [run["task"] for run in control.run_starts()] == [task, task]


def test_several_agents_never_take_one_task_twice(sandbox, client, enqueued, control):
    for _ in range(3):
        sandbox.agent("work", run_seconds=0.01)
    tasks = {enqueued(f"task {i}") for i in range(40)}
    for task in tasks:
        wait_for(client, task, "completed")
    runs = [run["task"] for run in control.run_starts()]
    assert sorted(runs) == sorted(tasks)


def test_a_dismissed_agent_takes_no_more(sandbox, client, enqueued, control):
    agent = sandbox.agent("work")
    wait_for(client, enqueued(), "completed")
    control.dismiss(agent)
    left = enqueued()
    sandbox.agent("others")
    wait_for(client, enqueued(queue="others"), "completed")  # an agent has looked at its queue meanwhile
    assert wait_for(client, left, "queued", "in_progress", "completed") == "queued"


def test_agents_watch_their_queue_and_log_their_calls(sandbox, client, control):
    sandbox.agent("work", "run")
    task = client.call("tasks.create", {"name": "work", "type": "training"})["id"]
    body = {"task": task, "queue_name": "work", "verify_watched_queue": True}
    assert client.call("tasks.enqueue", body)["queue_watched"] is True
    wait_for(client, task, "in_progress")
    callers = control.callers()
    agent = next(name for name in callers if name.startswith("sandbox-agent"))
    assert callers[agent]["tasks.started"] == 1


def test_unknown_outcomes_are_refused(sandbox):
    with pytest.raises(ValueError, match="explode"):
        sandbox.agent("work", "explode")
