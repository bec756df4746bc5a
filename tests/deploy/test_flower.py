"""Flower, the real package with the command of the compose file: workers, stages and queues can be seen."""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests.conftest import redis_binaries
from tests.deploy import compose
from tests.deploy.hosts import Service, eventually
from triggers.base.settings import Settings
from triggers.client.service_task import ServiceTask
from triggers.client.serving import ServingProcess
from triggers.model import make_trigger
from triggers.sandbox import Sandbox

CANARY = "canary-of-the-secret-key"
ACCESS = "CANARYACCESSKEY"
REDIS_PASSWORD = "canary of redis"
SECRETS = {"triggers_redis_password": REDIS_PASSWORD, "flower_basic_auth": "person:of flower schön"}
#: none of them may show anywhere, in whatever spelling
CANARIES = (CANARY, ACCESS, REDIS_PASSWORD, quote(REDIS_PASSWORD), "of flower")
STAGES = ("poll", "match", "dispatch", "reconcile", "sync", "notify")


class Watched:
    """All roles but beat's standby, with Flower beside them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        port, binary = free_port(), next(iter(redis_binaries().values()))
        (folder / "redis.conf").write_text(f'requirepass "{REDIS_PASSWORD}"\n')
        command = [binary, str(folder / "redis.conf"), "--port", str(port), "--bind", "127.0.0.1", "--save", ""]
        self.redis = Service(command, {}, folder, folder / "redis.log")
        self.redis_url = f"redis://127.0.0.1:{port}/0"
        eventually(lambda: "eady to accept" in (folder / "redis.log").read_text(), "Redis answers")
        self.sandbox = Sandbox(access_key=ACCESS, secret_key=CANARY).start()
        (folder / "secrets").mkdir()
        for name, secret in SECRETS.items():
            (folder / "secrets" / name).write_text(secret, "utf-8")
        self.environ = {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "TRIGGERS_REDIS_URL": self.redis_url,
            "TRIGGERS_SECRETS_DIR": str(folder / "secrets"),
            **self.sandbox.env(),
        }
        self.port = free_port()
        services = compose.read()["services"]
        commands = {name: services[name]["command"] for name in ("poll", "match", "dispatch", "beat", "flower")}
        commands["flower"] = [part.replace("5555", str(self.port)) for part in commands["flower"]]
        self.services = {
            name: Service(command, self.environ, compose.ROOT, folder / f"{name}.log")
            for name, command in commands.items()
        }

    def declare(self) -> None:
        client = self.sandbox.client()
        self.project = client.call("projects.create", {"name": "vision"})["id"]
        service, base = (self.task(name) for name in ("nightly triggers", "evaluate"))
        settings = Settings(redis_url=self.redis_url, redis_password=REDIS_PASSWORD)
        credentials = {k: v for k, v in self.environ.items() if k.startswith("CLEARML")}
        with pytest.MonkeyPatch.context() as patch:
            for name, value in credentials.items():
                patch.setenv(name, value)
            home = ServingProcess(ServiceTask(service, "vision", "nightly triggers", None), 1.0, settings)
        self.ledger = home.connect()
        action = {"type": "task", "base_task_id": base, "queue": "default", "parameters": {"Args/key": CANARY}}
        trigger = make_trigger("task", name="evaluate failures", action=action, trigger_on_status=["failed"])
        version = home.register(self.ledger, [trigger]).version
        eventually(lambda: self.ledger.reading.cursor("tasks").plan >= version, "the server is polled", seconds=60)
        home.api.close()

    def task(self, name: str) -> str:
        body = {"name": name, "type": "training", "project": self.project}
        return str(self.sandbox.client().call("tasks.create", body)["id"])

    def fail(self) -> str:
        id_ = self.task("some training")
        for verb in ("started", "failed"):
            self.sandbox.client().call(f"tasks.{verb}", {"task": id_})
        return id_

    def get(self, path: str, *, auth: str = "person:of flower schön", port: int = 0, data: bytes | None = None) -> Any:
        request = urllib.request.Request(f"http://127.0.0.1:{port or self.port}{path}", data=data)
        request.add_header("Authorization", f"Basic {base64.b64encode(auth.encode()).decode()}")
        with urllib.request.urlopen(request, timeout=60) as answer:
            body = answer.read().decode()
        return json.loads(body) if path.startswith("/api") else body

    def tasks(self, name: str) -> list[dict[str, Any]]:
        try:
            found = self.get(f"/api/tasks?taskname={name}&limit=200")
        except OSError:
            return []
        return list(found.values())

    def close(self) -> None:
        for service in self.services.values():
            service.down()
        self.sandbox.stop()
        self.redis.down()


def free_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    watched = Watched(tmp_path_factory.mktemp("flower"))
    try:
        watched.declare()
        eventually(lambda: len(watched.get("/api/workers?refresh=1")) >= 3, "Flower sees the workers", seconds=60)
        watched.failed = [watched.fail() for _ in range(5)]  # type: ignore[attr-defined]
        eventually(lambda: any(task["result"] for task in watched.tasks("triggers.dispatch")), "launches are seen")
        yield watched
    finally:
        watched.close()


pytestmark = [pytest.mark.slow, pytest.mark.timeout(600), pytest.mark.xdist_group("flower")]


def test_flower_shows_one_worker_for_each_stage(watched: Watched):
    workers = watched.get("/api/workers?refresh=1")
    queues = {name.partition("@")[0]: {q["name"] for q in facts["active_queues"]} for name, facts in workers.items()}
    assert {stage: {stage} & queues[stage] for stage in queues} == {s: {s} for s in ("poll", "match", "dispatch")}
    eventually(lambda: len(watched.get("/api/queues/length")["active_queues"]) >= 3, "queue lengths are known")


def test_flower_says_which_trigger_launched_what_for_which_object(watched: Watched):
    (some, *_) = [task for task in watched.tasks("triggers.dispatch") if task["result"]]
    assert some["args"] == "(vision/nightly triggers)"
    for object_id in watched.failed:  # type: ignore[attr-defined]
        told = f"launched: evaluate failures for task {object_id} → ClearML task "
        eventually(
            lambda told=told: any(told in str(task["result"]) for task in watched.tasks("triggers.dispatch")), told
        )
    assert any("firings granted: " in str(task["result"]) for task in watched.tasks("triggers.match"))
    # what a poll did is the result of the tick after it
    eventually(lambda: any("events" in str(task["result"]) for task in watched.tasks("triggers.poll")), "events")
    assert not watched.tasks("triggers.alive"), "what a worker sends itself is of no interest"


def test_ticks_that_found_nothing_are_not_shown(watched: Watched):
    def ended() -> dict[str, str]:
        log = "".join((watched.folder / f"{role}.log").read_text() for role in ("poll", "match", "dispatch"))
        return dict(re.findall(r"triggers\.\w+\[([\w-]+)\] succeeded in [\d.e-]+s: (.*)", log))

    def idle() -> int:
        return sum(result in ("''", "None") for result in ended().values())

    eventually(lambda: idle() > 5, "some find nothing", seconds=60)
    shown = {task["uuid"]: task for name in STAGES for task in watched.tasks(f"triggers.{name}")}
    assert not {task["result"] for task in shown.values()} & {None, "", "''", "None"}
    done = {id_ for id_, result in ended().items() if result not in ("''", "None", "False", "True")}
    eventually(lambda: done <= {task["uuid"] for name in STAGES for task in watched.tasks(f"triggers.{name}")}, "shown")
    for task in shown.values():
        assert task["state"] == "SUCCESS"
        assert task["received"] <= task["started"] <= task["succeeded"], "also what waited has its own time"


def test_arguments_show_without_a_configuration_file(watched: Watched, tmp_path: Path):
    port = free_port()
    options = [f"--port={port}", "--basic_auth=person:schön"]
    flower = Service(["celery", "-A", "workers", "flower", *options], watched.environ, tmp_path, tmp_path / "log")
    try:
        eventually(lambda: "Visit me" in (tmp_path / "log").read_text(), "Flower serves", seconds=60)
        page = watched.get("/tasks", auth="person:schön", port=port)
        assert {"name", "args", "result"} <= set(re.findall('data-column="([^"]*)"', page))
        with pytest.raises(urllib.error.HTTPError, match="401"):
            watched.get("/tasks", auth="person:schon", port=port)
        with pytest.raises(urllib.error.HTTPError, match="403"):
            watched.get("/api/worker/shutdown/x", auth="person:schön", port=port, data=b"")
    finally:
        flower.down()


def test_log_lines_say_which_trigger_object_and_firing(watched: Watched):
    log = (watched.folder / "dispatch.log").read_text().splitlines()
    for object_id in watched.failed:  # type: ignore[attr-defined]
        (line,) = [line for line in log if f"object='task {object_id}'" in line and "launched as ClearML task" in line]
        assert "scheduler='vision/nightly triggers' trigger='evaluate failures'" in line
        assert re.search("firing='[0-9a-f]{32}'", line)


def test_flower_asks_for_a_password_and_lets_nobody_act(watched: Watched):
    with pytest.raises(urllib.error.HTTPError, match="401"):
        watched.get("/api/workers", auth="person:guess")
    request = urllib.request.Request(f"http://127.0.0.1:{watched.port}/api/worker/shutdown/x", method="POST", data=b"")
    request.add_header("Authorization", f"Basic {base64.b64encode('person:of flower schön'.encode()).decode()}")
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(request, timeout=60)


def test_no_secret_shows_in_flower_logs_ledger_or_process_list(watched: Watched):
    seen = {path: str(watched.get(path)) for path in ("/api/tasks?limit=1000", "/api/workers", "/workers", "/tasks")}
    seen |= {path.name: path.read_text() for path in watched.folder.glob("*.log")}
    seen["history"] = str(watched.ledger.history.read())
    for name, service in watched.services.items():
        seen[f"command of {name}"] = Path(f"/proc/{service.pid}/cmdline").read_text()
    for where, text in seen.items():
        assert not [canary for canary in CANARIES if canary in text], where
    assert len(seen) >= 15


def screenshot(watched: Watched, path: str, file: Path) -> None:
    """What a person sees, as headless Chromium draws it."""
    browser = shutil.which("chromium")
    assert browser
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--hide-scrollbars"]
    options += ["--disable-background-networking", "--disable-component-update", "--disable-sync"]
    options += [f"--user-data-dir={watched.folder / 'browser'}", "--window-size=1500,800", "--virtual-time-budget=8000"]
    url = f"http://person:of%20flower%20sch%C3%B6n@127.0.0.1:{watched.port}{path}"
    done = subprocess.run([browser, *options, f"--screenshot={file}", url], capture_output=True)
    assert file.exists(), done.stderr.decode()[-500:]


@pytest.mark.skipif(not shutil.which("chromium"), reason="chromium is not installed; the API is tested all the same")
def test_pages_of_flower_can_be_looked_at(watched: Watched, tmp_path: Path):
    """With TRIGGERS_TEST_PICTURES=docs/img the pictures of the docs are made anew."""
    folder = Path(os.environ.get("TRIGGERS_TEST_PICTURES", tmp_path))
    launched = max(watched.tasks("triggers.dispatch"), key=lambda task: len(str(task["result"])))
    pages = [("workers", "/workers"), ("queues", "/broker"), ("task", f"/task/{launched['uuid']}")]
    known = len(watched.tasks("triggers.dispatch"))
    for name, path in [*pages, ("tasks", "/tasks")]:
        if name == "tasks":
            for _ in range(3):
                watched.fail()
            eventually(lambda: len(watched.tasks("triggers.dispatch")) > known, "launches to look at")
        screenshot(watched, path, folder.resolve() / f"flower-{name}.png")
        assert (folder / f"flower-{name}.png").stat().st_size > 20_000
