"""The roles of docker-compose.yml as processes of this machine: same commands, started again when they end."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import unquote

import psutil
import pytest

from tests.chaos import lagging
from tests.chaos.lagging import Lengths
from tests.chaos.ways import Ways
from tests.clocks.stepping import SteppedClock
from tests.conftest import redis_binaries
from tests.crash.processes import Server, eventually
from tests.deploy import compose
from tests.deploy.hosts import Service
from triggers.ledger import connect
from triggers.local.redis_server import PrivateRedis

#: how many of each role
ROLES = {"beat": 2, "poll": 2, "match": 2, "dispatch": 3}
#: shorter than in production, so that what waits waits for a short time
SETTINGS = {
    "lease_seconds": "2",
    "request_timeout_seconds": "3",
    "reconcile_seconds": "1",
    "retry_base_seconds": "0.2",
    "retry_cap_seconds": "2",
    "max_attempts": "1000",
    "max_per_minute": "0",
    "function_modules": "tests.*",
}


def environment(settings: Mapping[str, str]) -> dict[str, str]:
    """Settings as variables of the environment."""
    return {f"TRIGGERS_{name.upper()}": value for name, value in settings.items()}


class Fleet:
    """A Redis with its append-only file, and workers and beats that reach it on ways of their own.

    Args:
        folder: of this run.
        server: the ClearML server.
        settings: of all processes.
        cut: every process has a way to Redis that can be cut; otherwise all use its socket.
        extra: further environment.
        shifted: a folder whose `sitecustomize` shifts a process's time of day, and by how many seconds for each.
        clocks: by process, and "redis": a clock that is set while it runs.
    """

    def __init__(
        self,
        folder: Path,
        server: Server,
        *,
        settings: Mapping[str, str] = SETTINGS,
        cut: bool = True,
        roles: Mapping[str, int] = ROLES,
        extra: Mapping[str, str] | None = None,
        shifted: tuple[Path, Mapping[str, float]] | None = None,
        clocks: Mapping[str, SteppedClock] | None = None,
    ) -> None:
        self.folder, self.server, self.settings = folder, server, dict(settings)
        folder.mkdir(parents=True, exist_ok=True)
        self.redis = PrivateRedis(folder / "redis", server=list(redis_binaries().values())[-1])
        self.clocks, self.shifted = dict(clocks or {}), shifted
        self.redis_url = self._start_redis()
        self.ways = Ways(unquote(self.redis_url.removeprefix("unix://"))) if cut else None
        self.client = connect(self.redis_url)
        self.services: dict[str, Service] = {}
        self.roles, self.extra = dict(roles), dict(extra or {})
        self._redis_turn = threading.Lock()

    def start(self) -> None:
        """Start every role, as the compose file says."""
        described = compose.read({**compose.sandbox(), **os.environ})["services"]
        for role, number in self.roles.items():
            for n in range(1, number + 1):
                command = [part.replace("%h", f"node-{n}") for part in described[role]["command"]]
                self.add(f"{role}-{n}", command)

    def add(self, name: str, command: list[str], **variables: str) -> None:
        """Start one more process, and again whenever it ends."""
        url = self.ways.add(name) if self.ways else self.redis_url
        paths = [str(self.shifted[0])] if self.shifted else []
        environ = {
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
            "PYTHONPATH": os.pathsep.join([*paths, str(compose.ROOT)]),
            "HOME": str(self.folder),
            **self.server.environment,
            **environment(self.settings),
            **self.extra,
            "CHAOS_CLOCK": str(self.shifted[1].get(name, 0.0) if self.shifted else 0.0),
            **(self.clocks[name].environ if name in self.clocks else {}),
            "TRIGGERS_REDIS_URL": url,
            **variables,
        }
        log = self.folder / f"{name}.log"
        command = [sys.executable if part == "python" else part for part in command]
        self.services[name] = Service(command, environ, compose.ROOT, log)

    @property
    def names(self) -> list[str]:
        """The processes that may be killed and stopped."""
        return list(self.services)

    def pid(self, name: str) -> int:
        """The process that has this name now."""
        return self.services[name].pid

    def kill(self, name: str) -> None:
        """SIGKILL; its supervisor starts it again."""
        self._signal(name, signal.SIGKILL)

    def freeze(self, name: str) -> int:
        """SIGSTOP; return the process to resume."""
        return self._signal(name, signal.SIGSTOP)

    def go_on(self, pid: int) -> None:
        """SIGCONT, if it is still there."""
        if pid and psutil.pid_exists(pid):
            os.kill(pid, signal.SIGCONT)

    def _signal(self, name: str, number: int) -> int:
        pid = self.pid(name)
        if psutil.pid_exists(pid):
            os.kill(pid, number)
        return pid

    def kill_all(self) -> None:
        """Kill every worker and beat at once."""
        for name in self.roles_running():
            self.kill(name)

    def roles_running(self) -> list[str]:
        """The processes that the compose file names."""
        return [name for name in self.services if name.partition("-")[0] in self.roles]

    def freeze_redis(self) -> int:
        """SIGSTOP; return the process to resume."""
        pid = self.redis.pid
        if pid is not None:
            os.kill(pid, signal.SIGSTOP)
        return pid or 0

    def redis_address(self) -> str:
        """Where Redis is found while it is there."""
        return self.redis_url

    def kill_redis(self) -> None:
        """SIGKILL; it stays away until `start_redis`."""
        with self._redis_turn:
            if (pid := self.redis.pid) is not None:
                os.kill(pid, signal.SIGKILL)
                eventually(lambda: not self.redis.is_alive, "Redis ends")

    def start_redis(self) -> None:
        """Start it again with what its append-only file has."""
        with self._redis_turn:
            self._start_redis()

    def copy_of_redis(self) -> Lengths:
        """What a copy of Redis that lags has."""
        return lagging.lengths(self.folder / "redis")

    def promote(self, copy: Lengths) -> bool:
        """Put that copy in the place of Redis, as another run of it; False where only a restart could be made."""
        self.kill_redis()
        with self._redis_turn:
            taken = lagging.take_back(self.folder / "redis", copy)
            self._start_redis()
        return taken

    def _start_redis(self) -> str:
        """Start it, on a clock of its own if it has one."""
        environ = self.clocks["redis"].environ if "redis" in self.clocks else {}
        with pytest.MonkeyPatch.context() as patch:
            for name, value in environ.items():
                patch.setenv(name, value)
            return self.redis.start()

    def stop(self) -> None:
        """End every process."""
        for service in self.services.values():
            service.down()
        if self.ways:
            self.ways.close()
        self.client.close()
        self.redis.stop()

    def log(self) -> str:
        """The end of what each process wrote."""
        ends = [f"== {path.name}\n{path.read_text()[-1500:]}" for path in sorted(self.folder.glob("*.log"))]
        return "\n".join(ends)
