"""A local ClearML server and a Redis, each in a process of its own, as the measures use them."""

from __future__ import annotations

import multiprocessing
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from tests.conftest import redis_binaries
from tests.integration.differential.conftest import CLEARED, Original
from tests.integration.stages.conftest import World
from triggers.base.settings import Settings
from triggers.ledger import Ledger, Store, connect, open_ledger
from triggers.local.redis_server import PrivateRedis
from triggers.sandbox import Client, Control, Sandbox

KEYS = ("K", "S")
Fill = Callable[[Sandbox], None]
Wrap = Callable[[Any], Any]


class Server:
    """A sandbox seen from outside its process."""

    access_key, secret_key = KEYS

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.control = Control(self.url)
        self.access = Client(self.url, *KEYS, name="measure")

    def env(self) -> dict[str, str]:
        """What a process needs to use it, and nothing of other servers."""
        kept = {name: value for name, value in as_a_user().items() if not name.startswith(("CLEARML_", "TRIGGERS_"))}
        kept = {name: value for name, value in kept.items() if name not in CLEARED}
        hosts = dict.fromkeys(("CLEARML_API_HOST", "CLEARML_WEB_HOST", "CLEARML_FILES_HOST"), self.url)
        keys = dict(zip(("CLEARML_API_ACCESS_KEY", "CLEARML_API_SECRET_KEY"), KEYS, strict=True))
        return {**kept, **hosts, **keys}

    def client(self, name: str) -> Client:
        return Client(self.url, *KEYS, name=name)

    def call(self, endpoint: str, **body: Any) -> Any:
        return self.access.call(endpoint, body)

    def last(self) -> int:
        """Number of the newest entry of the request log."""
        return sum(self.control.counts().values())

    def since(self, number: int) -> list[dict[str, Any]]:
        """The calls after that one, without those that measuring itself makes."""
        return [entry for entry in self.control.requests(after=number) if entry["caller"] != "measure"]


def as_a_user() -> dict[str, str]:
    """The environment, in which Python keeps what it has compiled: else every start compiles this project anew."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def _serve(telling: Any, fill: Fill | None, wrap: Wrap | None) -> None:
    sandbox = Sandbox(0, *KEYS)
    if fill is not None:
        fill(sandbox)
    if wrap is not None:
        sandbox.app = wrap(sandbox.app)
    sandbox.bind()
    telling.send(sandbox.port)
    sandbox.serve()


@contextmanager
def server(fill: Fill | None = None, wrap: Wrap | None = None) -> Iterator[Server]:
    """A running sandbox.

    Both are importable: `fill` puts things into it before it listens, `wrap` is what stands in front of its calls.
    """
    context = multiprocessing.get_context("spawn")
    listening, telling = context.Pipe(duplex=False)
    process = context.Process(target=_serve, args=(telling, fill, wrap), daemon=True)
    process.start()
    telling.close()  # so that its end without a word ends the waiting
    try:
        yield Server(listening.recv())
    finally:
        process.terminate()
        process.join()


@contextmanager
def redis(folder: Path) -> Iterator[str]:
    """Address of an empty Redis of the newest kind there is, as local mode starts it."""
    private = PrivateRedis(folder / "redis", server=list(redis_binaries().values())[-1])
    try:
        yield private.start()
    finally:
        private.stop()


@contextmanager
def stages(of: Server) -> Iterator[World]:
    """The stages of one scheduler on that server, called one after the other; leases as in production."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        client = stack.enter_context(connect(stack.enter_context(redis(folder))))
        settings = Settings(state_folder=folder / "state", max_per_minute=0)
        yield World(of, new_ledger(client, settings), settings)  # type: ignore[arg-type]


def new_ledger(client: Any, settings: Settings) -> Ledger:
    """An empty ledger with its epoch begun."""
    ledger = open_ledger(Store(client), "measured", settings)
    ledger.adopt_epoch(nothing_launched_before=True)
    return ledger


@contextmanager
def original(of: Server) -> Iterator[Original]:
    """The original in a process of its own, which polls on request."""
    with tempfile.TemporaryDirectory() as folder:
        running = Original(of.env(), Path(folder) / "log")
        try:
            yield running
        finally:
            running.stop()
