"""A worker process of this system, as it is run in production: Celery with threads, and a Redis beside it."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from celery import Celery

from tests.benchmarks.delay import delayed
from tests.benchmarks.server import Server, redis
from tests.eventually import eventually as eventually
from triggers.base.settings import Settings
from triggers.client.service_task import ServiceTask
from triggers.client.serving import ServingProcess

ROOT = Path(__file__).parents[2]


class Working:
    """A scheduler whose stages a worker process runs; nothing ticks but what the measure sends."""

    def __init__(self, of: Server, url: str, folder: Path) -> None:
        self.of, self.url, self.folder = of, url, folder
        self.base = str(of.call("tasks.create", name="base", type="training")["id"])
        service = str(of.call("tasks.create", name="service", type="service")["id"])
        self.settings = Settings(redis_url=url, max_per_minute=0)
        self.home = ServingProcess(ServiceTask(service, "bench", "service", None), 1, self.settings)
        self.ledger = self.home.connect()
        from workers.app import configuration  # reads the environment

        self.celery = Celery("measure")
        self.celery.config_from_object(configuration(self.settings))

    def send(self, stage: str, *arguments: str | int) -> None:
        """Give the worker a hint."""
        self.celery.send_task(f"triggers.{stage}", args=arguments)

    def due(self) -> int:
        """Firings that are not launched yet."""
        return int(self.ledger.store.client.zcard(self.ledger.keys.due("dispatch")))

    @contextmanager
    def beat(self) -> Iterator[subprocess.Popen[bytes]]:
        """The schedule of a cluster."""
        with (self.folder / "beat.log").open("wb") as output:
            command = [sys.executable, "-m", "celery", "-A", "workers", "beat"]
            process = subprocess.Popen(command, cwd=ROOT, stdout=output, stderr=output)
        try:
            yield process
        finally:
            process.kill()
            process.wait()

    @contextmanager
    def process(self, *queues: str, threads: int, name: str = "worker") -> Iterator[subprocess.Popen[bytes]]:
        """A worker process that is ready."""
        log = self.folder / f"{name}.log"
        command = ["-m", "celery", "-A", "workers", "worker", "-Q", ",".join(queues), "-n", f"{name}@here"]
        with log.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, *command, f"--concurrency={threads}", "--loglevel=INFO"],
                cwd=ROOT,
                stdout=output,
                stderr=output,
            )
        try:
            eventually(lambda: " ready." in log.read_text(), "the worker is ready", seconds=120)
            yield process
        finally:
            process.kill()
            process.wait()


@contextmanager
def working(of: Server, network_ms: float | None = None) -> Iterator[Working]:
    """A scheduler without triggers on that server; this process takes its environment for as long.

    `network_ms`: how long a trip to Redis takes for its workers, None for those of a Unix socket.
    """
    before = dict(os.environ)
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        url = stack.enter_context(redis(Path(folder)))
        seen_as = url if network_ms is None else stack.enter_context(delayed(url, network_ms))
        os.environ.clear()
        os.environ.update(of.env(), TRIGGERS_REDIS_URL=seen_as, TRIGGERS_MAX_PER_MINUTE="0")
        try:
            here = Working(of, url, Path(folder))
            yield here
            here.celery.close()
        finally:
            os.environ.clear()
            os.environ.update(before)
