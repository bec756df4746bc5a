"""Calls of the SDK that no recording holds, and the recorded facts in other places than they were seen."""

from __future__ import annotations

from typing import Any

import pytest

from triggers.sandbox import CallFailed, Client

SCALAR = {"type": "training_stats_scalar", "metric": "Summary"}


def task(client: Client, **fields: Any) -> str:
    return str(client.call("tasks.create", {"name": "task", "type": "training", **fields})["id"])


def refused(client: Client, endpoint: str, **body: Any) -> str:
    with pytest.raises(CallFailed) as failure:
        client.call(endpoint, body)
    return f"{failure.value.code}/{failure.value.subcode}"


def test_single_values_are_the_last_of_each_name(client: Client):
    one, other = task(client), task(client)
    for variant, value, iteration in [
        ("acc", 0.1, -(2**31)),
        ("acc", 0.9, -(2**31)),
        ("loss", 2, -(2**31)),
        ("x", 1, 5),
    ]:
        client.call("events.add", {**SCALAR, "task": one, "variant": variant, "value": value, "iter": iteration})
    (found,) = client.call("events.get_task_single_value_metrics", {"tasks": [one, other]})["tasks"]
    assert found["task"] == one
    assert {item["variant"]: item["value"] for item in found["values"]} == {"acc": 0.9, "loss": 2}
    assert all(item["metric"] == "Summary" and item["timestamp"] > 0 for item in found["values"])


def test_plots_are_those_of_the_last_iterations_of_each_name(client: Client):
    one = task(client)
    for iteration in range(3):
        for variant in "ab":
            plot = {"type": "plot", "metric": "p", "variant": variant, "iter": iteration, "plot_str": "{}"}
            client.call("events.add", {**plot, "task": one})
    found = client.call("events.get_task_plots", {"task": one, "iters": 2, "no_scroll": True})["plots"]
    assert [plot["iter"] for plot in found] == [2, 2, 1, 1]
    assert len(client.call("events.get_task_plots", {"task": one})["plots"]) == 2


def test_debug_samples_come_by_iteration(client: Client):
    one = task(client)
    for iteration in range(2):
        image = {"type": "training_debug_image", "metric": "m", "variant": "v", "iter": iteration, "url": "u"}
        client.call("events.add", {**image, "task": one})
    (found,) = client.call("events.debug_images", {"metrics": [{"task": one, "metric": "m"}], "iters": 5})["metrics"]
    assert [(each["iter"], len(each["events"])) for each in found["iterations"]] == [(1, 1), (0, 1)]


def test_a_project_moves_with_those_below_it(client: Client):
    inner = client.call("projects.create", {"name": "Old place/Nets/Deep", "description": ""})["id"]
    nets = client.call("projects.get_all", {"name": "^Old place/Nets$"})["projects"][0]["id"]
    assert client.call("projects.move", {"project": nets, "new_location": "New place"}) == {"moved": 2}
    assert client.call("projects.get_by_id", {"project": inner})["project"]["name"] == "New place/Nets/Deep"
    assert refused(client, "projects.move", project=nets, new_location="New place/Nets/Deep") == "400/12"
    client.call("projects.move", {"project": nets})
    assert client.call("projects.get_by_id", {"project": inner})["project"]["name"] == "Nets/Deep"


@pytest.mark.parametrize("name", [" Speech // Nets/ ", "/Speech/Nets", "Speech/ Nets"])
@pytest.mark.parametrize("way", ["create", "move", "clone"])
def test_names_of_projects_are_normalized_wherever_one_is_made(client: Client, name: str, way: str):
    one = task(client)
    name = name.strip() if way == "create" else name  # a blank part at the end is refused by this call alone
    call = {
        "create": ("projects.create", {"name": name, "description": ""}),
        "move": ("tasks.move", {"ids": [one], "project_name": name}),
        "clone": ("tasks.clone", {"task": one, "new_project_name": name}),
    }[way]
    client.call(*call)
    names = [project["name"] for project in client.call("projects.get_all", {"name": "^Speech"})["projects"]]
    assert sorted(names) == ["Speech", "Speech/Nets"]


def test_names_of_queues_are_trimmed_wherever_one_is_named(client: Client):
    client.call("tasks.enqueue", {"task": task(client), "queue_name": "  gpus "})
    client.call("tasks.enqueue", {"task": task(client), "queue_name": "gpus"})
    (queue,) = client.call("queues.get_all", {"name": "^gpus$"})["queues"]
    assert len(queue["entries"]) == 2
    assert refused(client, "tasks.enqueue", task=task(client), queue_name=" q ") == "400/800"
    assert refused(client, "queues.update", queue=queue["id"], name=" q ") == "400/800"
    assert refused(client, "queues.create", name=" gpus") == "400/801"


def test_what_is_left_of_a_deleted_parent_and_model(client: Client):
    parent = task(client)
    child = task(client, parent=parent)
    model = client.call("models.create", {"name": "net", "uri": "file:///m"})["id"]
    client.call("tasks.add_or_update_model", {"task": child, "type": "input", "name": "in", "model": model})
    client.call("tasks.delete", {"task": parent})
    client.call("models.delete", {"model": model})
    left = client.call("tasks.get_by_id", {"task": child})["task"]
    assert left["parent"] == f"__DELETED__{parent}"
    assert [item["model"] for item in left["models"]["input"]] == [f"__DELETED__{model}"]


def test_tasks_of_a_deleted_queue_say_why_they_left_it(client: Client):
    queue, one = client.call("queues.create", {"name": "gpus"})["id"], task(client)
    client.call("tasks.enqueue", {"task": one, "queue": queue})
    client.call("queues.delete", {"queue": queue, "force": True})
    left = client.call("tasks.get_by_id", {"task": one})["task"]
    assert (left["status"], left["status_reason"]) == ("created", f"Queue {queue} was deleted")


def test_pings_and_reports_of_what_is_not_there(client: Client):
    missing = "0" * 32
    assert client.call("tasks.ping", {"task": missing}) == {}
    report = {"worker": "w", "timestamp": 1}
    assert refused(client, "workers.status_report", **report, task=missing) == "400/101"
    assert client.call("workers.status_report", {**report, "queue": missing, "queues": [missing]}) == {}


@pytest.mark.parametrize("kind", ["models", "queues"])
def test_metadata_needs_a_type(client: Client, kind: str):
    make = {"models": {"name": "net", "uri": "file:///m"}, "queues": {"name": "gpus"}}[kind]
    id_ = client.call(f"{kind}.create", make)["id"]
    body = {kind[:-1]: id_, "metadata": [{"key": "k", "value": "v"}]}
    assert refused(client, f"{kind}.add_or_update_metadata", **body) == "400/12"


def test_a_filter_that_is_no_time_is_ignored_and_readable_ones_count(client: Client):
    task(client)
    future = ">2090-01-01T00:00:00"
    found = {
        str(value): len(client.call("tasks.get_all", {"last_change": value})["tasks"])
        for value in (["never"], ["never", future], [">=never"], [future])
    }
    assert list(found.values()) == [1, 0, 1, 0]
    either = {"_or_": {"fields": ["last_change", "last_update"], "datetime": [">=never"]}}
    assert len(client.call("tasks.get_all", either)["tasks"]) == 1
    assert refused(client, "tasks.get_all", last_change=[5]) == "400/16"
    assert refused(client, "models.get_all", project=[5]) == "400/16"
