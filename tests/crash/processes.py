"""The processes of a crash test: each ends with the test, whatever happens to it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from tests.crash.nursery import Child, Nursery
from tests.crash.worker_main import PARENT
from tests.eventually import eventually as eventually
from triggers.clearml_api import Api, Credentials
from triggers.sandbox.client import Client, Control

T = TypeVar("T")

ROOT = Path(__file__).parents[2]
ACCESS_KEY, SECRET_KEY = "CRASHTESTS", "crash-tests-secret-key"

# never written to: its reading end, which every process here has, ends with this process
_READ_END, _WRITE_END = os.pipe()


def start(module: str, environment: Mapping[str, str], **options: Any) -> subprocess.Popen[bytes]:
    """Start a module of this folder as a process that ends with this one."""
    return subprocess.Popen(
        [sys.executable, "-m", f"tests.crash.{module}"],
        cwd=ROOT,
        env={**os.environ, **environment, **parent()},
        stdin=subprocess.DEVNULL,
        pass_fds=(_READ_END,),
        **options,
    )


def parent() -> dict[str, str]:
    """What a process needs to end with this one."""
    return {PARENT: str(_READ_END)}


def kill(process: subprocess.Popen[bytes]) -> None:
    """SIGKILL, which ends a stopped process too."""
    process.kill()
    process.wait()


class Server:
    """A sandbox in another process."""

    def __init__(self) -> None:
        keys = {"CLEARML_API_ACCESS_KEY": ACCESS_KEY, "CLEARML_API_SECRET_KEY": SECRET_KEY}
        self.process = start("server_main", keys, stdout=subprocess.PIPE)
        assert self.process.stdout
        self.url = self.process.stdout.readline().decode().strip()
        self.environment = {**keys, "CLEARML_API_HOST": self.url}
        eventually(self._answers, "the sandbox answers")

    def _answers(self) -> bool:
        try:
            self.control().reset()
        except OSError:
            return False
        return True

    def control(self) -> Control:
        """A client of its control address; one for each thread."""
        return Control(self.url)

    def client(self, name: str = "person") -> Client:
        """A client of its API; one for each thread."""
        return Client(self.url, ACCESS_KEY, SECRET_KEY, name=name)

    def api(self) -> Api:
        """What the system itself calls it with."""
        return Api(Credentials(self.url, ACCESS_KEY, SECRET_KEY), timeout_seconds=60)

    def stop(self) -> None:
        """End it."""
        kill(self.process)
        assert self.process.stdout
        self.process.stdout.close()


class Workers:
    """Worker processes that are started again when they die."""

    def __init__(
        self, environment: Mapping[str, str], log: Path, *, module: str = "worker_main", nursery: Nursery | None = None
    ) -> None:
        self.environment, self.log, self.module, self.nursery = dict(environment), log, module, nursery
        self.processes: list[subprocess.Popen[bytes] | Child] = []
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._mend, daemon=True)
        self._thread.start()

    def add(self, number: int = 1) -> None:
        """Start so many more."""
        for _ in range(number):
            self.processes.append(self._start())

    def kill_all(self) -> None:
        """Kill them; new ones are started."""
        for process in list(self.processes):
            process.kill()

    def go_on(self, pid: int) -> None:
        """Continue a process that has stopped itself."""
        eventually(lambda: is_stopped(pid), f"process {pid} stops")
        os.kill(pid, signal.SIGCONT)

    def _start(self) -> subprocess.Popen[bytes] | Child:
        if self.nursery:
            return self.nursery.start(self.module, {**self.environment, **parent()}, self.log)
        with self.log.open("ab") as log:
            return start(self.module, self.environment, stdout=log, stderr=log)

    def _mend(self) -> None:
        while not self._stopping.wait(0.05):
            for position, process in enumerate(self.processes):
                if process.poll() is not None and not self._stopping.is_set():
                    self.processes[position] = self._start()

    def stop(self) -> None:
        """End them for good."""
        self._stopping.set()
        self._thread.join()
        for process in self.processes:
            process.kill()
        eventually(lambda: all(process.poll() is not None for process in self.processes), "workers end")


def nursery() -> Nursery:
    """A process that forks workers."""
    return Nursery([sys.executable, "-m", "tests.crash.nursery"], cwd=ROOT, pass_fds=(_READ_END,))


def is_stopped(pid: int) -> bool:
    """Whether a process is stopped by a signal."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"
    except FileNotFoundError:
        return False
