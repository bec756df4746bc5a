"""Local mode: a user's script, started again when it ends, and below it the child and Redis that it starts."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path

import psutil

from tests.chaos.fleet import SETTINGS, environment
from tests.clocks.stepping import SteppedClock
from tests.crash.processes import Server
from tests.deploy.compose import ROOT
from tests.deploy.hosts import Service
from triggers.local.redis_server import running_url


class Local:
    """The script and what it starts; the interface is that of `fleet.Fleet`."""

    ways = None

    def __init__(
        self,
        folder: Path,
        server: Server,
        *,
        extra: Mapping[str, str],
        settings: Mapping[str, str] = SETTINGS,
        clocks: Mapping[str, SteppedClock] | None = None,
    ) -> None:
        self.folder, self.server, self.extra = folder, server, dict(extra)
        self.state, self.settings = folder / "state", dict(settings)
        self.clocks = dict(clocks or {})
        self.services: dict[str, Service] = {}

    def start(self) -> None:
        """Nothing: the script starts everything."""

    def add(self, name: str, command: list[str], **variables: str) -> None:
        """Start the script."""
        environ = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "TRIGGERS_STATE_FOLDER": str(self.state),
            **self.server.environment,
            **environment(self.settings),
            **self.extra,
            **(self.clocks["machine"].environ if self.clocks else {}),
            **variables,
        }
        command = [sys.executable if part == "python" else part for part in command]
        self.services[name] = Service(command, environ, ROOT, self.folder / f"{name}.log")

    def pid(self, name: str) -> int:
        """A process by what it is; 0 while there is none."""
        script = self.services["script"].pid
        if name == "script":
            return script
        mark = {"child": "workers.local", "redis": "redis-server"}[name]
        try:
            below = psutil.Process(script).children(recursive=True)
            return next((p.pid for p in below if mark in " ".join(p.cmdline())), 0)
        except psutil.Error:
            return 0

    def kill(self, name: str) -> None:
        """SIGKILL, if it is there."""
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
        if pid and psutil.pid_exists(pid):
            os.kill(pid, number)
        return pid

    def kill_all(self) -> None:
        """Kill child and Redis at once."""
        for name in ("child", "redis"):
            self.kill(name)

    def kill_redis(self) -> None:
        """SIGKILL; the script starts it again."""
        self.kill("redis")

    def start_redis(self) -> None:
        """Nothing: the script does."""

    def freeze_redis(self) -> int:
        """SIGSTOP; return the process to resume."""
        return self.freeze("redis")

    def redis_address(self) -> str:
        """Where Redis is found while it is there; "" else."""
        folders = [path.parent for path in self.state.glob("*/redis.conf")]
        return (running_url(folders[0]) or "") if folders else ""

    def stop(self) -> None:
        """End every process."""
        below = [pid for pid in map(self.pid, ("child", "redis")) if pid]
        for service in self.services.values():
            service.down()
        for pid in below:
            if psutil.pid_exists(pid):
                os.kill(pid, signal.SIGKILL)

    def log(self) -> str:
        """The end of what the script and its child wrote."""
        return "\n".join(path.read_text()[-3000:] for path in sorted(self.folder.glob("*.log")))
