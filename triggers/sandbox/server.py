"""Runs a sandbox: as a context manager in a thread of this process, or alone in a process."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import signal
import socket
import sys
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Any

import requests
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from . import keyring
from .app import App
from .client import Client, Control
from .crew import RunEnd
from .releases import NEWEST, release_of

#: how long a sandbox may take to answer its first call, and to end
START_SECONDS = 10.0
#: idle connections stay open longer than clients keep them
_KEEP_ALIVE_SECONDS = 75
#: connections that may wait to be taken
_BACKLOG = 1024


class _Protocol(H11Protocol):
    """Tells the application its connection, so that faults can close it."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self.app_state = {**self.app_state, "transport": transport}
        super().connection_made(transport)


class _Server(uvicorn.Server):
    """Says when it is ready."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()


class Sandbox:
    """A local ClearML server, empty at start, gone at the end.

    Args:
        port: port to listen on; 0 means any free one.
        access_key: key of its only user; None means a random one.
        secret_key: secret of that key; None means a random one.
        host: address to listen on.
        server_version: release of the ClearML server to behave as, such as "1.17.0".

    Example:
        with Sandbox() as sandbox:
            os.environ.update(sandbox.env())
    """

    def __init__(
        self,
        port: int = 0,
        access_key: str | None = None,
        secret_key: str | None = None,
        *,
        host: str = "127.0.0.1",
        server_version: str = NEWEST,
    ) -> None:
        self.host, self.port = host, port
        self.access_key = access_key or secrets.token_hex(10).upper()
        self.secret_key = secret_key or secrets.token_urlsafe(32)
        self.app = App(self.access_key, self.secret_key, release_of(server_version))
        self._clients: list[Client] = []

    @property
    def url(self) -> str:
        """Address of API and files."""
        return f"http://{self.host}:{self.port}"

    def env(self) -> dict[str, str]:
        """The environment that makes the SDK use this server."""
        return self.app.env(self.url)

    def client(self, name: str = "test") -> Client:
        """A small client of the API; it closes with the sandbox.

        Args:
            name: what the log of calls names as their caller.
        """
        client = Client(self.url, self.access_key, self.secret_key, name=name)
        self._clients.append(client)
        return client

    def agent(self, queue: str, outcome: RunEnd | list[RunEnd] = "complete", **options: Any) -> int:
        """Start an agent on a queue; see `Control.agent`.

        Args:
            queue: id or name of the queue.
            outcome: how its runs end: "complete", "fail", "abort", "delete", "run"; of several, each in turn.
            options: further ones of `Control.agent`.
        """
        return self.control.agent(queue, outcome, **options)

    def start(self) -> Sandbox:
        """Listen, in a thread of this process.

        Raises:
            OSError: the port is taken.
            TimeoutError: it does not come up.
        """
        self._server = self._made()
        self._thread = threading.Thread(target=self._run, name="clearml-sandbox", daemon=True)
        self._thread.start()
        if not self._server.ready.wait(START_SECONDS):
            raise TimeoutError(f"the sandbox at {self.url} did not start within {START_SECONDS:g} s")
        self.control = Control(self.url)
        return self

    def stop(self) -> None:
        """Close all connections and end the thread."""
        for client in self._clients:
            client.close()
        self.control.close()
        self._server.should_exit = True
        self._thread.join(START_SECONDS)
        self._socket.close()

    def serve(self, beside: Callable[[threading.Event], None] | None = None) -> None:
        """Listen in the foreground until SIGINT or SIGTERM; only in the main thread.

        Args:
            beside: runs in a thread as soon as calls are answered; its event tells it of the end.
        """
        server, ended = self._made(), threading.Event()
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        keyring.keep(self.port, self.app.instance, self.env())

        def run_beside() -> None:
            if beside is not None and server.ready.wait(START_SECONDS):
                with contextlib.suppress(requests.RequestException):  # the server ended meanwhile
                    beside(ended)

        threading.Thread(target=run_beside, name="clearml-sandbox-beside", daemon=True).start()
        try:
            server.run(sockets=[self._socket])
        except KeyboardInterrupt:
            pass
        finally:
            ended.set()
            keyring.forget(self.port, self.app.instance)
            self._socket.close()

    def bind(self) -> None:
        """Take the port, so that `url` is known before anything listens."""
        # with the protocol named: asyncio sets TCP_NODELAY only then, and answers would take 40 ms without it
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            self._socket.bind((self.host, self.port))
            self._socket.listen(_BACKLOG)
        except OSError:
            self._socket.close()
            raise
        self.port = self._socket.getsockname()[1]

    def _made(self) -> _Server:
        if not hasattr(self, "_socket"):
            self.bind()
        config = uvicorn.Config(
            self.app,
            http=_Protocol,
            loop="asyncio",
            lifespan="off",
            ws="none",
            log_config=None,
            access_log=False,
            date_header=False,
            server_header=False,
            timeout_keep_alive=_KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=1,
        )
        return _Server(config)

    def _run(self) -> None:
        self._server.run(sockets=[self._socket])

    def __enter__(self) -> Sandbox:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
