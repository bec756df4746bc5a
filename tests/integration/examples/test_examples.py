"""Each file of `examples/` is started as a user starts it, on a sandbox over HTTP, and seen to fire."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.eventually import eventually
from tests.integration.actions.receiver import Receiver, Reply
from triggers.sandbox import Client, Sandbox

EXAMPLES = Path(__file__).parents[3] / "examples"


class Server:
    """The server with what the examples expect: the project and a ClearML task to clone."""

    def __init__(self, sandbox: Sandbox, client: Client) -> None:
        self.sandbox, self.call = sandbox, client.call
        self.project = self.call("projects.create", {"name": "Examples", "description": ""})["id"]
        arguments = {"source": {"section": "Args", "name": "source", "value": "", "type": "str"}}
        self.task("retrain", hyperparams={"Args": arguments})

    def task(self, name: str = "train", **values: Any) -> str:
        body = {"name": name, "type": "training", "project": self.project} | values
        return str(self.call("tasks.create", body)["id"])

    def failed(self, **values: Any) -> str:
        id_ = self.task(**values)
        self.call("tasks.started", {"task": id_})
        self.call("tasks.failed", {"task": id_})
        return id_

    def tagged(self) -> str:
        id_ = self.task()
        self.call("tasks.edit", {"task": id_, "tags": ["retrain me"]})
        return id_

    def dataset(self) -> str:
        folder = self.call("projects.create", {"name": "Examples/.datasets/images", "description": ""})["id"]
        id_ = self.task("images", project=folder, type="data_processing", system_tags=["dataset"])
        self.call("tasks.started", {"task": id_})
        self.call("tasks.completed", {"task": id_})
        return id_

    def model(self, **values: Any) -> str:
        body = {"name": "detector", "uri": "file:///detector.onnx", "project": self.project} | values
        return str(self.call("models.create", body)["id"])

    def published(self) -> str:
        id_ = self.model(ready=False)
        self.call("models.set_ready", {"model": id_})
        return id_

    def accurate(self) -> str:
        id_ = self.task()
        self.call("tasks.started", {"task": id_})
        event = {"type": "training_stats_scalar", "task": id_, "iter": 1, "metric": "accuracy"}
        self.call("events.add", event | {"variant": "validation", "value": 0.95})
        return id_

    def sources(self) -> list[str]:
        """Of each launched ClearML task, the object it was launched for."""
        (queue,) = self.call("queues.get_all", {"name": "^default$", "only_fields": ["entries"]})["queues"]
        tasks = [self.call("tasks.get_by_id", {"task": one["task"]})["task"] for one in queue["entries"]]
        return [one["hyperparams"]["Args"]["source"]["value"] for one in tasks]


@pytest.fixture
def server(clearml_sandbox: Sandbox) -> Iterator[Server]:
    with clearml_sandbox.client() as client:
        yield Server(clearml_sandbox, client)


@contextmanager
def started(
    folder: Path, server: Server, *command: str, polls: bool = True, **settings: str
) -> Iterator[Callable[[], str]]:
    """The example, once it polls; what it has printed so far."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("TRIGGERS_")}
    own |= {
        "HOME": str(folder),
        "TRIGGERS_STATE_FOLDER": str(folder / "state"),
        "TRIGGERS_POLL_SECONDS": "1",
    } | settings
    said = folder / "said.txt"
    with said.open("w") as output:
        example = subprocess.Popen([sys.executable, *command], cwd=folder, env=own, stdout=output, stderr=output)
    try:
        if not polls:
            yield said.read_text
            return
        reads = ("tasks.get_all_ex", "models.get_all_ex")
        eventually(lambda: max(server.sandbox.control.counts().get(one, 0) for one in reads) > 1, told=said.read_text)
        yield said.read_text
    finally:
        example.terminate()
        try:
            example.wait(60)
        finally:
            example.kill()


LAUNCHING: dict[str, Callable[[Server], str]] = {
    "retrain_on_dataset_version.py": Server.dataset,
    "evaluate_published_model.py": Server.published,
    "run_on_tag.py": Server.tagged,
    "retry_failed.py": Server.failed,
}
CALLING: dict[str, tuple[Callable[[Server], str], str]] = {
    "alert_on_failure.py": (Server.failed, "ClearML task {} failed"),
    "migrate.py": (Server.published, "model {} was published"),
    "record_firing.py": (lambda server: server.model(tags=["candidate"]), "model {} fired, key "),
}
OTHERS = {"promote_on_metric.py", "nightly.py", "shadow_mode.py", "several_conditions.yaml", "check_in_ci.py"}
ACTING = {"notify_on_failure.py", "abort_on_nan.py", "promote_model.py", "incident.py", "github_workflow.py"}


def test_every_example_is_started_here() -> None:
    assert {*LAUNCHING, *CALLING, *OTHERS, *ACTING, "README.md"} == {
        each.name for each in EXAMPLES.iterdir() if each.is_file()
    }


@pytest.mark.parametrize("name", LAUNCHING)
def test_it_launches_with_the_id_of_what_changed(name: str, server: Server, tmp_path: Path) -> None:
    with started(tmp_path, server, str(EXAMPLES / name)) as said:
        changed = LAUNCHING[name](server)
        eventually(server.sources, told=said)
        assert server.sources() == [changed], said()


@pytest.mark.parametrize("name", CALLING)
def test_it_calls_its_function(name: str, server: Server, tmp_path: Path) -> None:
    arguments = ["0.02"] if name == "migrate.py" else []
    change, line = CALLING[name]
    with started(tmp_path, server, str(EXAMPLES / name), *arguments) as said:
        expected = line.format(change(server))
        eventually(lambda: expected in said(), told=said)


def test_a_metric_promotes(server: Server, tmp_path: Path) -> None:
    with started(tmp_path, server, str(EXAMPLES / "promote_on_metric.py")) as said:
        id_ = server.accurate()
        eventually(lambda: "promoted" in server.call("tasks.get_by_id", {"task": id_})["task"]["tags"], told=said)


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    """What workers may send to in place of the services that the examples name."""
    there = Receiver()
    monkeypatch.setenv("CHANNEL_URL", f"json://127.0.0.1:{there.server_port}/channel")
    monkeypatch.setenv("INCIDENT_URL", f"{there.url}/v2/enqueue")
    monkeypatch.setenv("INCIDENT_KEY", "key-of-the-service")
    monkeypatch.setenv("GITHUB_API_URL", there.url)
    monkeypatch.setenv("GITHUB_TOKEN", "token-of-github")
    yield there
    there.close()


LOOPBACK = {"TRIGGERS_WEBHOOK_ALLOW": "127.0.0.1"}


def test_a_channel_is_notified_of_a_failure(server: Server, tmp_path: Path, receiver: Receiver) -> None:
    with started(tmp_path, server, str(EXAMPLES / "notify_on_failure.py"), **LOOPBACK) as said:
        failed = server.failed(name="nightly")
        eventually(lambda: receiver.received, told=said)
        (received,) = receiver.received
        assert received.path == "/channel"
        assert received.json["message"].startswith("nightly failed: ")
        assert failed in received.json["message"]


def test_a_run_with_nan_is_aborted(server: Server, tmp_path: Path) -> None:
    with started(tmp_path, server, str(EXAMPLES / "abort_on_nan.py")) as said:
        id_ = server.task()
        server.call("tasks.started", {"task": id_})
        event = {"type": "training_stats_scalar", "task": id_, "iter": 1, "metric": "loss", "variant": "train"}
        server.call("events.add", event | {"value": 1e30})
        eventually(lambda: server.call("tasks.get_by_id", {"task": id_})["task"]["status"] == "stopped", told=said)
        assert server.call("tasks.get_by_id", {"task": id_})["task"]["status_reason"] == "the loss is NaN or infinite"


def test_a_model_that_passes_is_promoted(server: Server, tmp_path: Path) -> None:
    with started(tmp_path, server, str(EXAMPLES / "promote_model.py")) as said:
        id_ = server.model(ready=False, tags=["candidate", "evaluation passed"])

        def model() -> dict[str, Any]:
            found: dict[str, Any] = server.call("models.get_by_id", {"model": id_})["model"]
            return found

        eventually(lambda: model()["ready"] and model()["metadata"] and "production" in model()["tags"], told=said)
        assert model()["tags"] == ["evaluation passed", "production"]


def test_an_incident_is_opened_and_closed(server: Server, tmp_path: Path, receiver: Receiver) -> None:
    with started(tmp_path, server, str(EXAMPLES / "incident.py"), **LOOPBACK) as said:
        id_ = server.failed(name="nightly 1")
        eventually(lambda: receiver.received, told=said)
        server.call("tasks.reset", {"task": id_})
        eventually(lambda: len(receiver.received) > 1, told=said)
        opened, closed = (one.json for one in receiver.received)
        assert (opened["event_action"], closed["event_action"]) == ("trigger", "resolve")
        assert opened["dedup_key"] == closed["dedup_key"] == id_
        assert opened["routing_key"] == "key-of-the-service"
        assert "key-of-the-service" not in said()


#: How GitHub describes the call (`actions/create-workflow-dispatch` of its REST API, version 2022-11-28).
DISPATCH = {
    "type": "object",
    "required": ["ref"],
    "properties": {
        "ref": {"type": "string"},
        "inputs": {"type": "object", "maxProperties": 25, "additionalProperties": {"type": "string"}},
    },
    "additionalProperties": False,
}


def test_a_workflow_is_started(server: Server, tmp_path: Path, receiver: Receiver) -> None:
    receiver.answers(Reply(204, body=b""))
    with started(tmp_path, server, str(EXAMPLES / "github_workflow.py"), **LOOPBACK) as said:
        id_ = server.published()
        eventually(lambda: receiver.received, told=said)
        (received,) = receiver.received
        assert received.path == "/repos/example/models/actions/workflows/deploy.yml/dispatches"
        assert received.method == "POST"
        assert received.headers["authorization"] == "Bearer token-of-github"
        assert received.headers["accept"] == "application/vnd.github+json"
        assert received.headers["x-github-api-version"] == "2022-11-28"
        assert received.headers["user-agent"], "GitHub refuses requests without one"
        assert received.json == {"ref": "main", "inputs": {"model": id_, "name": "detector"}}
        jsonschema.validate(received.json, DISPATCH)
        eventually(lambda: "'deploy' acted: model 'detector'" in said(), told=said)
        assert "token-of-github" not in said()


def test_a_schedule_launches_at_once_with_its_time(server: Server, tmp_path: Path) -> None:
    with started(tmp_path, server, str(EXAMPLES / "nightly.py"), polls=False) as said:
        eventually(server.sources, told=said)
        (time_of_it,) = server.sources()
        assert time_of_it[-6:] in ("+01:00", "+02:00"), said()


def test_shadow_mode_only_says_what_it_would_launch(server: Server, tmp_path: Path) -> None:
    with started(tmp_path, server, str(EXAMPLES / "shadow_mode.py")) as said:
        server.failed()
        eventually(lambda: "would launch" in said(), told=said)
        assert server.sources() == []


def test_a_file_with_several_conditions(server: Server, tmp_path: Path) -> None:
    file = str(EXAMPLES / "several_conditions.yaml")
    subprocess.run([sys.executable, "-m", "triggers", "test", "-f", file], check=True)
    with started(tmp_path, server, "-m", "triggers", "up", "-f", file) as said:
        server.failed(name="nightly 1")
        fitting = server.failed(name="nightly 2", tags=["production"])
        eventually(server.sources, told=said)
        assert server.sources() == [fitting], said()


def test_the_tests_for_ci_pass_without_a_server(tmp_path: Path) -> None:
    own = {name: value for name, value in os.environ.items() if not name.startswith(("CLEARML_", "TRIGGERS_"))}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(EXAMPLES / "check_in_ci.py")]
    done = subprocess.run(command, cwd=tmp_path, env=own, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    assert done.stdout.startswith(".."), done.stdout
