"""A Redis of its own process on a port, killed by its pid and started again on the same append-only folder."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from pathlib import Path
from typing import Any

import redis

from tests.conftest import redis_binaries
from tests.eventually import eventually
from triggers.ledger import connect


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class OwnRedis:
    """One server that tests kill, restart and let refuse."""

    def __init__(self, folder: Path, *, password: str = "") -> None:
        self.folder, self.port, self.password = folder, free_port(), password
        self.options = ["--requirepass", password] if password else []
        folder.mkdir(parents=True, exist_ok=True)
        self.url = f"redis://127.0.0.1:{self.port}/0"  # as users say it: the password is in a file
        self.process: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self, *options: str, wait: bool = True) -> None:
        """Start it on what its folder holds; returns when it has loaded that, unless asked not to wait."""
        command = [next(iter(redis_binaries().values())), "--port", str(self.port), "--bind", "127.0.0.1"]
        command += ["--appendonly", "yes", "--appendfsync", "always", "--save", "", *self.options, *options]
        self.process = subprocess.Popen(
            command, cwd=self.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        )
        if wait:
            eventually(self.answers, "Redis starts")

    def answers(self) -> bool:
        """Whether it has loaded its file."""
        return self._loading() == 0

    def is_loading(self) -> bool:
        """Whether it still loads its file."""
        return self._loading() == 1

    def _loading(self) -> int | None:
        try:
            with self.client as client:
                return int(client.info("persistence")["loading"])
        except redis.RedisError:
            return None

    @property
    def client(self) -> Any:
        return connect(self.url.replace("//", f"//:{self.password}@") if self.password else self.url)

    def kill(self) -> None:
        assert self.process is not None
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait(60)
        self.process = None

    def restart(self, away_seconds: float = 0.0) -> None:
        """Kill it, leave it dead for a while, and start it again."""
        self.kill()
        time.sleep(away_seconds)
        self.start()

    def start_loading(self) -> None:
        """Start it on what its folder holds, loading for minutes or until `load_on`."""
        (file, *_) = sorted([*self.folder.glob("appendonly.aof"), *self.folder.glob("appendonlydir/*.incr.aof")])
        with file.open("ab") as aof:
            aof.write(b"*3\r\n$3\r\nSET\r\n$6\r\nfiller\r\n$1\r\n1\r\n" * 1_000_000)
        # microseconds a command: for minutes, and it answers after each thousand
        self.start("--key-load-delay", "100", wait=False)
        eventually(self.is_loading, "Redis loads")

    def load_on(self) -> None:
        """Start it again, to load as fast as it can; returns when it has. While it loads it takes no other pace."""
        self.restart()

    def set(self, name: str, value: str) -> None:
        with self.client as client:
            client.config_set(name, value)

    def stop(self) -> None:
        if self.process is not None:
            self.kill()
