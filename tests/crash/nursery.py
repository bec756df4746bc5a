"""Where worker processes come from: one process that has everything imported forks them on request.

Starting an interpreter takes most of a second of a processor, and these tests start hundreds. The nursery has no
threads and no settings; a child of it goes the whole way of a worker, from reading its environment on.
`test_first_crash` starts its workers by exec, as the supervisor of local mode does.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

#: what takes long to import and reads no settings
PRELOADED = (
    "celery.apps.worker",
    "celery.beat",
    "celery.concurrency.thread",
    "celery.worker.consumer",
    "celery.worker.worker",
    "kombu.transport.redis",
    "redis",
    "triggers.client.serving",
    "triggers.stages.dispatch",
    "triggers.stages.match",
    "triggers.stages.poll",
    "triggers.stages.reconcile",
)


class Nursery:
    """The test's side. Threads share it."""

    def __init__(self, command: list[str], **options: Any) -> None:
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, **options)
        self._lock = threading.Lock()

    def start(self, module: str, environment: Mapping[str, str], log: Path) -> Child:
        """A new process that runs `main` of a module of this folder."""
        assert self.process.stdin
        assert self.process.stdout
        order = {"module": f"tests.crash.{module}", "environment": dict(environment), "log": str(log)}
        with self._lock:
            self.process.stdin.write(json.dumps(order).encode() + b"\n")
            self.process.stdin.flush()
            return Child(int(self.process.stdout.readline()))

    def stop(self) -> None:
        """End it; its children end by themselves if they are still there."""
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()


class Child:
    """A process that the nursery has forked, with the methods of `subprocess.Popen` that are needed here."""

    def __init__(self, pid: int) -> None:
        self.pid = pid

    def poll(self) -> int | None:
        """None while it runs."""
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return 1
        return None

    def kill(self) -> None:
        """SIGKILL; nothing happens if it is gone."""
        if self.poll() is None:
            os.kill(self.pid, signal.SIGKILL)


def _serve() -> None:
    for module in PRELOADED:
        importlib.import_module(module)
    signal.signal(signal.SIGCHLD, _bury)
    for line in sys.stdin:
        order = json.loads(line)
        pid = os.fork()
        if pid == 0:
            _live(order)
        print(pid, flush=True)


def _bury(number: int, frame: object) -> None:
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def _live(order: dict[str, Any]) -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    log = os.open(order["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for ours, theirs in ((nothing, 0), (log, 1), (log, 2)):
        os.dup2(ours, theirs)
    os.environ.update(order["environment"])
    code = 1
    try:
        code = importlib.import_module(order["module"]).main()
    finally:
        os._exit(code)


if __name__ == "__main__":
    _serve()
