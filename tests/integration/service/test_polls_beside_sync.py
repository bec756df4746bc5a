"""Sync never holds up polls: not in a worker with one thread, not with ten thousand triggers and a slow server."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from celery import Celery

import triggers
from tests.deploy.hosts import eventually
from triggers.base.settings import Settings, settings
from triggers.client.service_task import ServiceTask
from triggers.client.serving import ServingProcess
from triggers.ledger import Ledger
from triggers.model import make_trigger
from triggers.sandbox import Sandbox

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600), pytest.mark.sandbox_control]

TRIGGERS = 10_000


class OneThread:
    """A poll worker with one thread; what it is sent is up to the test."""

    def __init__(self, server: Sandbox, url: str, folder: Path) -> None:
        self.server, self.log = server, folder / "worker.log"
        environ = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ} | server.env()
        environ |= {"TRIGGERS_REDIS_URL": url, "PYTHONPATH": str(Path(triggers.__file__).parents[1])}
        environ |= {"TRIGGERS_REQUEST_TIMEOUT_SECONDS": "250"}
        command = [sys.executable, "-m", "celery", "-A", "workers", "worker", "-Q", "poll", "--concurrency=1"]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen([*command, "-l", "INFO"], env=environ, cwd=folder, stdout=log, stderr=log)
        from workers.app import configuration

        self.celery = Celery("ticks", set_as_current=False)
        self.celery.conf.update(configuration(Settings(redis_url=url)))

    def tick(self, stage: str, *also: str) -> None:
        self.celery.send_task(f"triggers.{stage}", args=also, queue="poll")

    def poll(self, ledger: Ledger) -> None:
        """Let it poll once more; the pace of the scheduler does not keep it from it."""
        before = ledger.times_polled_ms()
        ledger.store.client.delete(ledger.keys.next_poll)
        self.tick("poll")
        eventually(lambda: ledger.times_polled_ms() != before, "it polls", seconds=60)


@pytest.fixture
def ledger(server: Sandbox, redis_client: Any, redis_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ledger]:
    for name, value in {**server.env(), "TRIGGERS_REDIS_URL": redis_url}.items():
        monkeypatch.setenv(name, value)
    settings.cache_clear()
    server.control.reset()
    call = server.client("test").call
    base = str(call("tasks.create", {"name": "base", "type": "training"})["id"])
    service = str(call("tasks.create", {"name": "service", "type": "service"})["id"])
    home = ServingProcess(ServiceTask(service, "P", "service", None), 1, Settings(redis_url=redis_url))
    ledger = home.connect()
    action = {"type": "task", "base_task_id": base, "queue": "default"}
    condition = {"trigger_on_status": ["failed"]}
    home.register(ledger, [make_trigger("task", name=f"t{n}", action=action, **condition) for n in range(TRIGGERS)])
    yield ledger
    ledger.close()
    settings.cache_clear()


@pytest.fixture
def worker(server: Sandbox, ledger: Ledger, redis_url: str, tmp_path: Path) -> Iterator[OneThread]:
    worker = OneThread(server, redis_url, tmp_path)
    try:
        eventually(lambda: " ready." in worker.log.read_text(), "the worker is ready", seconds=120)
        yield worker
    finally:
        worker.process.kill()
        worker.process.wait()
        worker.celery.close()


@pytest.mark.parametrize("call", ["tasks.edit_configuration", "events.add_batch"])
def test_polls_go_on_while_the_server_takes_its_time_to_answer_sync(
    server: Sandbox, ledger: Ledger, worker: OneThread, call: str
) -> None:
    worker.poll(ledger)
    slow = server.control.fault("hold", call)
    worker.tick("sync")
    eventually(lambda: server.control.held(slow), "sync waits for the server", seconds=120)
    for _ in range(5):
        worker.poll(ledger)
        worker.tick("sync", "reconcile")  # the next ticks find it at work
    assert server.control.held(slow) == 1
    server.control.release(slow)
    eventually(lambda: ledger.syncing.read(("version",))["version"], "the turn ends", seconds=120)
