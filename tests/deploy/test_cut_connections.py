"""Connections of a real worker to Redis are cut, openly and in silence: it takes hints again, perhaps started anew."""

from __future__ import annotations

import selectors
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from tests.conftest import redis_binaries
from tests.deploy.hosts import eventually
from tests.deploy.lone_worker import LoneWorker
from triggers.health import Progress
from triggers.local.redis_server import PrivateRedis

pytestmark = pytest.mark.slow


class Proxy:
    """Passes bytes on to a Unix socket, until asked to swallow those of the connections that are open."""

    def __init__(self, path: str) -> None:
        self.path, self.swallowed = path, 0
        self._pairs: dict[socket.socket, socket.socket] = {}
        self._deaf: set[socket.socket] = set()
        self._selector = selectors.DefaultSelector()
        self._lock, self._ending = threading.Lock(), False
        self._server = socket.create_server(("127.0.0.1", 0))
        self._selector.register(self._server, selectors.EVENT_READ)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self._server.getsockname()[1]}/0"

    def swallow(self) -> None:
        """From now on, nothing passes on the open connections, without an error. New ones work."""
        with self._lock:
            self._deaf |= set(self._pairs)

    def _run(self) -> None:
        while not self._ending:
            for key, _ in self._selector.select(0.1):
                with self._lock:
                    self._serve(key.fileobj)  # type: ignore[arg-type]

    def _serve(self, ready: socket.socket) -> None:
        if ready is self._server:
            near, _ = self._server.accept()
            far = socket.socket(socket.AF_UNIX)
            far.connect(self.path)
            self._pairs |= {near: far, far: near}
            for one in (near, far):
                self._selector.register(one, selectors.EVENT_READ)
            return
        try:
            received = ready.recv(65536)
        except OSError:
            received = b""
        if ready in self._deaf:
            self.swallowed += len(received)
            if not received:
                self._selector.unregister(ready)
            return
        try:
            if received:
                self._pairs[ready].sendall(received)
                return
        except OSError:
            pass
        for one in (ready, self._pairs[ready]):
            self._selector.unregister(one)
            self._pairs.pop(one)
            one.close()

    def close(self) -> None:
        self._ending = True
        self._thread.join()
        for one in [self._server, *self._pairs]:
            one.close()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[PrivateRedis]:
    server = PrivateRedis(tmp_path / "redis", server=next(iter(redis_binaries().values())))
    server.start()
    yield server
    server.stop()


def test_a_worker_whose_connections_are_killed_takes_hints_again(server: PrivateRedis, tmp_path: Path):
    worker = LoneWorker(server.url, server.url, tmp_path)
    try:
        worker.takes("a hint")
        for kind in ("normal", "pubsub", "normal"):
            killed = worker.client.client_kill_filter(_type=kind, skipme=True)
            assert killed, f"it has connections of the kind {kind}"
            worker.takes(f"a hint after its {kind} connections were killed")
        for each in worker.client.client_list():
            if each["cmd"].startswith("brpop"):
                worker.client.client_kill_filter(_id=each["id"])
        worker.takes("a hint after the one that waits for hints was killed")
    finally:
        worker.down()


def test_a_worker_whose_bytes_are_swallowed_takes_hints_again(server: PrivateRedis, tmp_path: Path):
    """As behind a firewall that has forgotten the connections: no error and never an answer.

    Redis hands hints to the connection that waits for them, where they are lost; `reconcile` gives them again.
    """
    proxy = Proxy(server.url.removeprefix("unix://"))
    worker = LoneWorker(proxy.url, server.url, tmp_path)
    try:
        worker.takes("a hint")
        proxy.swallow()
        worker.takes("a hint within a minute, by a new connection or a new process", again_seconds=1)
        eventually(lambda: _is_well(worker), "it gets somewhere")
        assert proxy.swallowed > 0
    finally:
        worker.down()
        proxy.close()


def _is_well(worker: LoneWorker) -> bool:
    import time

    progress = Progress.read(worker.file)
    return progress is not None and not progress.fault(time.monotonic())


def test_a_worker_lives_through_a_redis_that_is_restarted(server: PrivateRedis, tmp_path: Path):
    worker = LoneWorker(server.url, server.url, tmp_path)
    try:
        worker.takes("a hint")
        server.stop()
        with pytest.raises(redis.ConnectionError):
            worker.client.ping()
        server.start()
        worker.takes("a hint after Redis is back")
    finally:
        worker.down()
